"""Stock under any sequence of messages, duplicates and late ones included, keeps its invariants."""

from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from schemas.inventory import (
    InventoryAdjust,
    InventoryCommit,
    InventoryReceive,
    InventoryRelease,
    InventoryReserve,
)
from schemas.service import TimerDue
from streams.inventory.policy import StockPolicy
from streams.inventory.stock import decide
from streams.inventory.stock.markers import held, settlement
from streams.kernel.flow import Decision
from tables.inventory.stock import Page, Reservation, Stock
from tests.unit.streams.inventory.samples import NOW, SKU, asked, product, said
from topics.registry import (
    INVENTORY_ADJUST,
    INVENTORY_COMMIT,
    INVENTORY_DUE,
    INVENTORY_LINE_RESERVED,
    INVENTORY_LOW_STOCK,
    INVENTORY_RECEIVE,
    INVENTORY_RELEASE,
    INVENTORY_RESERVE,
    INVENTORY_UPDATED,
    PRODUCT_UPDATED,
)

POLICY = StockPolicy(marker_retention_ms=50, marker_sweep_ms=10)
ORDER_IDS = [f"order-{number}" for number in range(8)]
ORDERS = st.sampled_from(ORDER_IDS)
MOVEMENTS = st.sampled_from([f"movement-{number}" for number in range(12)])
SMALL = st.integers(-3, 12)


class StockMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.state: Stock | None = None
        self.now = NOW
        self.product_version = 0

    def take(self, decision: Decision[Stock]) -> None:
        before, after = self.state or Stock(), decision.state or Stock()
        levels = [out for out in decision.outputs if out.topic is INVENTORY_UPDATED]
        moved = (before.on_hand, before.reserved) != (after.on_hand, after.reserved)
        assert len(levels) == int(moved)
        assert after.version == before.version + int(moved)
        for out in levels:
            assert out.version == after.version
            assert (out.data.on_hand, out.data.reserved) == (after.on_hand, after.reserved)
            assert out.data.available == after.available
        low = [out for out in decision.outputs if out.topic is INVENTORY_LOW_STOCK]
        threshold = POLICY.low_stock_threshold if after.facts is None else after.facts.low_stock_threshold
        assert bool(low) == (moved and before.available > threshold >= after.available)
        self.state = decision.state
        self.now += 1

    def open(self) -> dict[str, Reservation]:
        stock = self.state or Stock()
        return {order_id: one for order_id in ORDER_IDS if (one := held(stock, order_id)) is not None}

    def message(self, topic: Any, data: Any, version: int = 0) -> Any:
        return said(topic, SKU, data, at=self.now, version=version)

    @rule(movement=MOVEMENTS, quantity=SMALL)
    def receive(self, movement: str, quantity: int) -> None:
        data = InventoryReceive(movement, quantity, "purchase")
        self.take(decide.receive(POLICY, self.state, self.message(INVENTORY_RECEIVE, data)))

    @rule(movement=MOVEMENTS, delta=st.integers(-8, 4))
    def adjust(self, movement: str, delta: int) -> None:
        data = InventoryAdjust(movement, delta, "count")
        self.take(decide.adjust(POLICY, self.state, self.message(INVENTORY_ADJUST, data)))

    @rule(order_id=ORDERS, quantities=st.lists(SMALL, max_size=3))
    def reserve(self, order_id: str, quantities: list[int]) -> None:
        message = self.message(INVENTORY_RESERVE, InventoryReserve(order_id, "GBP", asked(*quantities)))
        decision = decide.reserve(POLICY, self.state, message)
        answered = decision.outputs[:1]
        self.take(decision)
        if answered and answered[0].topic is INVENTORY_LINE_RESERVED:
            again = decide.reserve(POLICY, self.state, message)
            assert again == Decision(self.state, answered)

    @rule(order_id=ORDERS)
    def release(self, order_id: str) -> None:
        data = InventoryRelease(order_id, "cancelled")
        self.take(decide.release(POLICY, self.state, self.message(INVENTORY_RELEASE, data)))
        late = self.message(INVENTORY_RESERVE, InventoryReserve(order_id, "GBP", asked(1)))
        assert decide.reserve(POLICY, self.state, late).state is self.state

    @rule(order_id=ORDERS)
    def commit(self, order_id: str) -> None:
        data = InventoryCommit(order_id)
        self.take(decide.commit(POLICY, self.state, self.message(INVENTORY_COMMIT, data)))

    @rule(active=st.booleans(), price=st.integers(1, 999), older=st.booleans())
    def know(self, active: bool, price: int, older: bool) -> None:  # noqa: FBT001 - drawn by Hypothesis
        self.product_version += not older
        message = self.message(PRODUCT_UPDATED, product(price=price, active=active), self.product_version)
        self.take(decide.know(self.state, message))

    @rule(later=st.integers(0, 120))
    def sweep(self, later: int) -> None:
        self.now += later
        message = self.message(INVENTORY_DUE, TimerDue(self.now))
        self.take(decide.sweep(POLICY, self.state, message))

    @invariant()
    def the_levels_add_up(self) -> None:
        stock, open_ = self.state or Stock(), self.open().values()
        assert stock.on_hand == stock.received - stock.committed
        assert stock.open == len(open_)
        assert stock.reserved == sum(held.quantity for held in open_)
        assert 0 <= stock.reserved <= stock.on_hand
        assert all(held.quantity == sum(line.quantity for line in held.lines) for held in open_)

    @invariant()
    def every_marker_is_on_one_page(self) -> None:
        stock = self.state or Stock()
        pages = [stock.orders.get(f"page-{number}") for number in range(*stock.pages)]
        paged = [order_id for page in pages if isinstance(page, Page) for order_id in page.orders]
        marked = [order_id for order_id in ORDER_IDS if settlement(stock, order_id) is not None]
        assert sorted(paged) == marked
        assert len(stock.orders) == stock.open + len(marked) + len(pages)


TestStockMachine = StockMachine.TestCase
TestStockMachine.settings = settings(
    max_examples=150,
    stateful_step_count=40,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
