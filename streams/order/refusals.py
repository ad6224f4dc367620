"""Commands on an order that are refused: the rule, the field, and the order as it was."""

import msgspec

from schemas.envelope import Message
from schemas.inventory import InventoryRejected
from schemas.order import OrderRejected, OrderStatus
from schemas.refusal import Refusal
from streams.kernel.flow import Decision, Out
from tables.order import Order
from topics.registry import ORDER_REJECTED

_UNRESERVED: dict[str, str] = {
    Refusal.OUT_OF_STOCK: "{requested} of {sku} requested, {available} available",
    Refusal.UNKNOWN_SKU: "there is no product {sku}",
    Refusal.DISCONTINUED: "{sku} is not sold any more",
    Refusal.PRODUCT_REPLACED: "{sku} is the number of another product now: put it into the cart again",
    Refusal.RELEASED: "the stock of {sku} had been released for this order before",
    Refusal.CURRENCY_MISMATCH: "{sku} is not sold in the order's currency",
    Refusal.INVALID_QUANTITY: "{requested} of {sku} is no quantity to reserve",
    Refusal.INVALID_PRICE: "a price agreed for {sku} is negative",
}


def refused(  # noqa: PLR0917 (a refusal's parts)
    state: Order | None,
    message: Message[msgspec.Struct],
    reason: str,
    field: str,
    detail: str,
    command_id: str | None = None,
) -> Decision[Order]:
    """Refuse a command; the state stays as given. `command_id` names one that had to wait."""
    status = None if state is None else state.snapshot.status
    version = 0 if state is None else state.version
    refusal = OrderRejected(message.event_type, reason, field, detail, status, command_id)
    return Decision(state, (Out(ORDER_REJECTED, message.aggregate_id, refusal, version),))


def unknown(message: Message[msgspec.Struct]) -> Decision[Order]:
    """Refuse a command on an order that is not in the table: never placed, or finished and gone."""
    return refused(None, message, Refusal.UNKNOWN_ORDER, "order_id", f"no open order {message.aggregate_id}")


def illegal(state: Order, message: Message[msgspec.Struct], target: OrderStatus) -> Decision[Order]:
    """Refuse a move that the state machine does not have."""
    status = state.snapshot.status
    return refused(
        state, message, Refusal.ILLEGAL_MOVE, "status", f"an order cannot go from {status} to {target}"
    )


def unreserved(said: InventoryRejected) -> str:
    """Return why the goods cannot be had, for people: numbers of pieces where those are the reason."""
    text = _UNRESERVED.get(said.reason)
    if text is None:
        return f"{said.sku}: {said.reason.replace('_', ' ')}"
    return text.format(sku=said.sku, requested=said.requested, available=said.available)
