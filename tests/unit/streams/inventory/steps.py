"""Stock's commands and events as tests give them, and what became of them."""

import msgspec

from schemas.envelope import derived_id
from schemas.inventory import (
    InventoryAdjust,
    InventoryCommit,
    InventoryReceive,
    InventoryRelease,
    InventoryReserve,
    RequestedLine,
)
from schemas.product import ProductSnapshot
from schemas.service import TimerDue
from streams.inventory.policy import StockPolicy
from streams.inventory.stock import decide
from streams.kernel.flow import Decision
from tables.inventory.stock import Facts, Stock
from tests.unit.streams.inventory.samples import NOW, ORDER, SKU, said
from topics.registry import (
    INVENTORY_ADJUST,
    INVENTORY_COMMIT,
    INVENTORY_DUE,
    INVENTORY_RECEIVE,
    INVENTORY_REFUSED,
    INVENTORY_RELEASE,
    INVENTORY_RESERVE,
    PRODUCT_UPDATED,
)

POLICY = StockPolicy()
FACTS = Facts(
    1, "WHITE HANGING HEART T-LIGHT HOLDER", price=295, currency="GBP", active=True, low_stock_threshold=3
)


def stocked(on_hand: int = 10, **given: object) -> Stock:
    return msgspec.structs.replace(
        Stock(version=1, on_hand=on_hand, received=on_hand, facts=FACTS, applied=("receive:first",)), **given
    )


def receive(
    state: Stock | None, quantity: int, receipt: str = "receipt-1", sku: str = SKU, command: str = ""
) -> Decision[Stock]:
    message = said(INVENTORY_RECEIVE, sku, InventoryReceive(receipt, quantity, "purchase"))
    message = msgspec.structs.replace(message, event_id=derived_id(command, receipt))
    return decide.receive(POLICY, state, message)


def adjust(
    state: Stock | None, delta: int, adjustment: str = "count-1", command: str = ""
) -> Decision[Stock]:
    message = said(INVENTORY_ADJUST, SKU, InventoryAdjust(adjustment, delta, "loss"))
    message = msgspec.structs.replace(message, event_id=derived_id(command, adjustment))
    return decide.adjust(POLICY, state, message)


def reason(decision: Decision[Stock]) -> tuple[str, str]:
    (refused,) = decision.outputs
    assert refused.topic is INVENTORY_REFUSED
    return refused.data.reason, refused.data.field


def reserve(
    state: Stock | None, lines: tuple[RequestedLine, ...], order_id: str = ORDER, currency: str = "GBP"
) -> Decision[Stock]:
    data = InventoryReserve(order_id, currency, lines)
    return decide.reserve(POLICY, state, said(INVENTORY_RESERVE, SKU, data))


def release(state: Stock | None, order_id: str = ORDER, at: int = NOW) -> Decision[Stock]:
    data = InventoryRelease(order_id, "cancelled")
    return decide.release(POLICY, state, said(INVENTORY_RELEASE, SKU, data, at=at))


def commit(state: Stock | None, order_id: str = ORDER, policy: StockPolicy = POLICY) -> Decision[Stock]:
    return decide.commit(policy, state, said(INVENTORY_COMMIT, SKU, InventoryCommit(order_id)))


def know(state: Stock | None, facts: ProductSnapshot, version: int) -> Decision[Stock]:
    return decide.know(state, said(PRODUCT_UPDATED, SKU, facts, version=version))


def sweep(state: Stock | None, due_at: int) -> Decision[Stock]:
    return decide.sweep(POLICY, state, said(INVENTORY_DUE, SKU, TimerDue(due_at), at=due_at))


def changed(decision: Decision[Stock]) -> Stock:
    assert decision.state is not None
    return decision.state
