"""What becomes of an order: pure decisions of one order's record and one message.

An order is confirmed when both halves are known, whichever comes first: its quote (`inventory.reserved`) and
its authorisation (`payment.completed`). Whatever comes for an order that has ended changes nothing; stock and
payment undo their own work when they hear `order.cancelled`.
"""

import msgspec

from schemas.checkout import CheckoutStarted
from schemas.envelope import Message
from schemas.inventory import InventoryRejected, InventoryReserved, QuotedLine
from schemas.order import OrderKind, OrderLine, OrderSnapshot, OrderStatus
from schemas.payment import PaymentSnapshot
from schemas.refusal import Refusal
from schemas.service import TimerDue
from streams.kernel.flow import Decision
from streams.order.machine import may
from streams.order.moves import called_off, cancelled, confirmed, event, moved, started_again
from streams.order.policy import OrderPolicy
from streams.order.refusals import refused, unreserved
from streams.order.totals import charged_amount, goods_amount
from tables.order import Order


def started(state: Order | None, message: Message[CheckoutStarted]) -> Decision[Order]:
    """Place the order. One that is known already is as it was."""
    if state is not None:
        return started_again(state, message)
    data = message.data
    charged = charged_amount(data.charges)
    snapshot = OrderSnapshot(
        kind=OrderKind.SALE,
        status=OrderStatus.PLACED,
        cart_id=data.cart_id,
        user_id=data.user_id,
        email=data.email,
        address=data.address,
        currency=data.currency,
        lines=tuple(
            OrderLine(
                line.line_id,
                line.sku,
                line.quantity,
                agreed_price=line.agreed_price,
                incarnation=line.incarnation,
            )
            for line in data.lines
        ),
        charges=data.charges,
        goods=0,
        charged=charged,
        total=charged,
        payment_token=data.payment_token,
        placed_at=data.placed_at,
        updated_at=message.occurred_at,
        consented=data.consented,
    )
    order = Order(
        snapshot,
        version=message.occurred_at,
        deadline_at=data.deadline_at,
        correlation_id=message.correlation_id,
    )
    return Decision(order, (event(message.aggregate_id, order),))


def quoted(state: Order | None, message: Message[InventoryReserved]) -> Decision[Order]:
    """Take names and firm prices over; confirm where the payment is authorised already."""
    if state is None or state.quoted or state.snapshot.status is not OrderStatus.PLACED:
        return Decision(state)
    data = message.data
    snapshot = msgspec.structs.replace(
        state.snapshot,
        lines=_priced(state.snapshot.lines, data.lines),
        goods=data.goods,
        charged=data.charged,
        total=data.total,
    )
    return _joined(msgspec.structs.replace(state, snapshot=snapshot, quoted=True), message)


def _priced(lines: tuple[OrderLine, ...], quoted: tuple[QuotedLine, ...]) -> tuple[OrderLine, ...]:
    quotes = {line.line_id: line for line in quoted}
    return tuple(
        msgspec.structs.replace(line, name=quote.name, unit_price=quote.unit_price, incarnation=None)
        for line in lines
        for quote in (quotes[line.line_id],)
    )


def authorised(state: Order | None, message: Message[PaymentSnapshot]) -> Decision[Order]:
    """Note that the payment is authorised; confirm where the quote is known already."""
    if state is None or state.authorised or state.snapshot.status is not OrderStatus.PLACED:
        return Decision(state)
    return _joined(msgspec.structs.replace(state, authorised=True), message)


def _joined(order: Order, message: Message[msgspec.Struct]) -> Decision[Order]:
    if not (order.quoted and order.authorised):
        return Decision(order)
    return confirmed(order, message)


def out_of_stock(state: Order | None, message: Message[InventoryRejected]) -> Decision[Order]:
    """Cancel, because the goods cannot be had, or not at the total that the buyer agreed to."""
    if state is None or state.snapshot.status is not OrderStatus.PLACED:
        return Decision(state)
    data = message.data
    if data.reason == Refusal.PRICE_CHANGED:
        return _repriced(state, message)
    return cancelled(state, message, data.reason, unreserved(data), data.sku)


def _repriced(state: Order, message: Message[InventoryRejected]) -> Decision[Order]:
    """Cancel, and show what it would have come to: the buyer is asked again with that."""
    before = state.snapshot
    lines = _priced(before.lines, message.data.lines)
    goods = goods_amount(lines)
    total = goods + before.charged
    snapshot = msgspec.structs.replace(before, lines=lines, goods=goods, total=total)
    detail = f"the total is {total}, not the {before.consented} that was shown"
    return cancelled(msgspec.structs.replace(state, snapshot=snapshot), message, message.data.reason, detail)


def payment_failed(state: Order | None, message: Message[PaymentSnapshot]) -> Decision[Order]:
    """Cancel an order that cannot be paid; let staff try again where a refund failed."""
    if state is None:
        return Decision(state)
    status, reason = state.snapshot.status, message.data.reason or "no reason given"
    if status is OrderStatus.PLACED:
        return cancelled(state, message, Refusal.PAYMENT_FAILED, reason)
    if reason == Refusal.CAPTURE_FAILED and may(status, OrderStatus.CANCELLED):
        return cancelled(
            state, message, Refusal.CAPTURE_FAILED, "the authorised payment could not be captured"
        )
    if not state.refunding:
        return Decision(state)
    kept = msgspec.structs.replace(state, refunding=False, refund_command=None)
    return refused(kept, message, Refusal.REFUND_FAILED, "status", reason, state.refund_command)


def captured(state: Order | None, message: Message[PaymentSnapshot]) -> Decision[Order]:
    """Note that the money is there, and ship what waited for it."""
    if state is None or state.captured or not may(state.snapshot.status, OrderStatus.CANCELLED):
        return Decision(state)
    paid = msgspec.structs.replace(state, captured=True, shipment=None)
    if state.shipment is None:
        return Decision(paid)
    asked = state.shipment
    after = moved(paid, message, OrderStatus.SHIPPED, tracking=asked.tracking, command_id=asked.command_id)
    return Decision(after, (event(message.aggregate_id, after),))


def refunded(state: Order | None, message: Message[PaymentSnapshot]) -> Decision[Order]:
    """Close the order, since the money is back; a cancelled one stays so: its payment only undid itself."""
    if state is None or not may(state.snapshot.status, OrderStatus.REFUNDED):
        return Decision(state)
    paid_back = msgspec.structs.replace(state, refunding=False, refund_command=None, shipment=None)
    after = moved(paid_back, message, OrderStatus.REFUNDED, command_id=state.refund_command)
    order_id = message.aggregate_id
    why = "the order was refunded before it could be shipped"
    return Decision(after, (event(order_id, after), *called_off(state, after, order_id, why)))


def due(policy: OrderPolicy, state: Order) -> int | None:
    """Return when (ms) the order wants to be woken: at its deadline, or to leave the table."""
    snapshot = state.snapshot
    if snapshot.status is OrderStatus.PLACED:
        return state.deadline_at
    if snapshot.status in (OrderStatus.CANCELLED, OrderStatus.REFUNDED):
        return snapshot.updated_at + policy.retention_ms
    if snapshot.status is OrderStatus.DELIVERED and not state.refunding:
        return snapshot.updated_at + policy.refund_window_ms
    return None


def correlation(state: Order) -> str:
    """Return in whose name a checkout waits for its end."""
    return state.correlation_id


def woken(policy: OrderPolicy, state: Order | None, message: Message[TimerDue]) -> Decision[Order]:
    """Cancel a checkout that is past its deadline; let a finished order go."""
    wanted = None if state is None else due(policy, state)
    if state is None or wanted is None or wanted > message.data.due_at:
        return Decision(state)
    if state.snapshot.status is OrderStatus.PLACED:
        return cancelled(state, message, Refusal.DEADLINE_EXCEEDED, "the checkout did not end in time")
    return Decision(None)
