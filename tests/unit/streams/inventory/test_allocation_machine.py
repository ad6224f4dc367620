"""One order over two real stocks, under any order of delivery with duplicates: nothing leaks."""

from typing import Any

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from schemas.inventory import InventoryReceive
from schemas.order import OrderStatus
from streams.inventory.allocation.agent import FLOW as ALLOCATION_FLOW
from streams.inventory.policy import StockPolicy
from streams.inventory.stock.agent import FLOW as STOCK_FLOW
from streams.inventory.stock.decide import know, receive
from tables.inventory.allocation import Allocation, AllocationStatus
from tables.inventory.stock import Stock
from tests.unit.streams.inventory.samples import ORDER, order, product, said
from topics.registry import (
    INVENTORY_RECEIVE,
    INVENTORY_REJECTED,
    INVENTORY_RESERVED,
    ORDER_CANCELLED,
    ORDER_CONFIRMED,
    ORDER_PLACED,
    ORDER_SHIPPED,
    PRODUCT_CREATED,
)

SKUS = ("A", "B")
OPENING = 5
ROUTES = {route.topic.name: (flow, route) for flow in (STOCK_FLOW, ALLOCATION_FLOW) for route in flow.routes}


class AllocationMachine(RuleBasedStateMachine):
    """Delivers the waiting messages in any order, some of them twice, and cancels at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: list[Any] = []
        self.delivered: list[Any] = []
        self.states: dict[tuple[str, str], Any] = {}
        self.outcome: str | None = None
        self.cancelled = self.shipped = False
        self.asked: dict[str, int] = {}

    @initialize(a=st.integers(1, 7), b=st.integers(1, 7))
    def begin(self, a: int, b: int) -> None:
        for sku in SKUS:
            stock = know(None, said(PRODUCT_CREATED, sku, product(), version=1)).state
            opening = said(INVENTORY_RECEIVE, sku, InventoryReceive("opening", OPENING, "opening"))
            self.states["stock", sku] = receive(StockPolicy(), stock, opening).state
        self.asked = {"A": a, "B": b}
        self.placed = order(("line-1", "A", a), ("line-2", "B", b))
        self.waiting.append(said(ORDER_PLACED, ORDER, self.placed))

    def deliver(self, message: Any) -> None:
        flow, route = ROUTES[message.event_type]
        place = (flow.name, message.aggregate_id)
        decision = route.handler(self.states.get(place), message)
        self.states[place] = decision.state
        for out in decision.outputs:
            assert out.topic in route.emits
            sent = said(out.topic, out.key, out.data, version=out.version)
            if out.topic.name in ROUTES:
                self.waiting.append(sent)
            if out.topic in (INVENTORY_RESERVED, INVENTORY_REJECTED):
                assert self.outcome is None
                self.outcome = out.topic.name
                if out.topic is INVENTORY_RESERVED and not self.cancelled:
                    self.waiting.append(said(ORDER_CONFIRMED, ORDER, self.placed))
                elif not self.cancelled:
                    self.cancel()

    def cancel(self) -> None:
        self.cancelled = True
        snapshot = msgspec.structs.replace(self.placed, status=OrderStatus.CANCELLED)
        self.waiting.append(said(ORDER_CANCELLED, ORDER, snapshot))

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def deliver_one(self, data: st.DataObject) -> None:
        message = self.waiting.pop(data.draw(st.integers(0, len(self.waiting) - 1)))
        self.delivered.append(message)
        self.deliver(message)

    @precondition(lambda self: self.delivered)
    @rule(data=st.data())
    def deliver_again(self, data: st.DataObject) -> None:
        self.deliver(data.draw(st.sampled_from(self.delivered)))

    @precondition(lambda self: not self.cancelled and not self.shipped)
    @rule()
    def cancel_order(self) -> None:
        self.cancel()

    @precondition(lambda self: self.outcome == INVENTORY_RESERVED.name and not self.cancelled)
    @rule()
    def ship(self) -> None:
        self.shipped = True
        self.waiting.append(said(ORDER_SHIPPED, ORDER, self.placed))

    def teardown(self) -> None:
        while self.waiting:
            self.deliver(self.waiting.pop(0))
        allocation: Allocation | None = self.states.get(("allocation", ORDER))
        if allocation is None:
            return
        for sku in SKUS:
            stock: Stock = self.states["stock", sku]
            assert stock.on_hand == stock.received - stock.committed
            kept = self.outcome == INVENTORY_RESERVED.name and not self.cancelled
            assert stock.reserved == 0
            assert stock.on_hand == OPENING - (self.asked[sku] if kept else 0)
        assert allocation.status is not AllocationStatus.PENDING


TestAllocationMachine = AllocationMachine.TestCase
TestAllocationMachine.settings = settings(
    max_examples=200, stateful_step_count=25, deadline=None, print_blob=True
)
