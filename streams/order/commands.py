"""What people ask of an order: cancel, move on, take goods back. Pure decisions, each answered once."""

from collections.abc import Iterator

import msgspec

from schemas.envelope import Message
from schemas.order import (
    OrderAdvance,
    OrderCancel,
    OrderKind,
    OrderLine,
    OrderReturn,
    OrderSnapshot,
    OrderStatus,
)
from schemas.payment import PaymentRefund
from schemas.refusal import Refusal
from schemas.sku import well_formed
from streams.breach import Breach
from streams.kernel.flow import Decision, Out
from streams.order.machine import STAFF_TARGETS, may
from streams.order.moves import called_off, cancelled, event, moved
from streams.order.policy import OrderPolicy
from streams.order.refusals import illegal, refused, unknown
from streams.order.totals import charged_amount, goods_amount
from tables.applied import remembered
from tables.order import Order, Shipment
from topics.registry import PAYMENT_REFUND

_STILL_HERE = frozenset({OrderStatus.CONFIRMED, OrderStatus.PROCESSING})


def cancel(policy: OrderPolicy, state: Order | None, message: Message[OrderCancel]) -> Decision[Order]:
    """Cancel on request of the owner or of staff, until the order is shipped."""
    if state is None:
        return unknown(message)
    if message.event_id in state.applied:
        return Decision(state)
    data = message.data
    if not data.staff and message.user_id != state.snapshot.user_id:
        return refused(state, message, Refusal.FORBIDDEN, "user_id", "the order belongs to another user")
    state = _answered(policy, state, message)
    if state.refunding:
        return refused(state, message, "refund_pending", "status", "its refund is under way")
    if not may(state.snapshot.status, OrderStatus.CANCELLED):
        return illegal(state, message, OrderStatus.CANCELLED)
    return cancelled(
        state,
        message,
        Refusal.CANCELLED_BY_STAFF if data.staff else Refusal.CANCELLED_BY_CUSTOMER,
        data.reason,
    )


def advance(policy: OrderPolicy, state: Order | None, message: Message[OrderAdvance]) -> Decision[Order]:
    """Move an order on for staff.

    Goods are shipped once the money is captured: a shipment that is asked for earlier waits for it. A refund
    is asked of payment, and the order is refunded when the money is back. It leaves the goods where they are,
    with the customer: an order that is still here is cancelled instead, which gives both back.
    """
    if state is None:
        return unknown(message)
    if message.event_id in state.applied:
        return Decision(state)
    state = _answered(policy, state, message)
    target = message.data.status
    if state.refunding:
        return refused(state, message, "refund_pending", "status", "its refund is under way")
    if target not in STAFF_TARGETS or not may(state.snapshot.status, target):
        return illegal(state, message, target)
    if target is OrderStatus.REFUNDED and state.snapshot.status in _STILL_HERE:
        why = f"an order that is {state.snapshot.status} has not left: cancel it, and its goods are restocked"
        return refused(state, message, "not_shipped", "status", why)
    return _advanced(state, message)


def _advanced(state: Order, message: Message[OrderAdvance]) -> Decision[Order]:
    target, tracking = message.data.status, message.data.tracking
    if target is OrderStatus.REFUNDED:
        refunding = msgspec.structs.replace(state, refunding=True, refund_command=message.event_id)
        return Decision(
            refunding, (Out(PAYMENT_REFUND, message.aggregate_id, PaymentRefund("refunded_by_staff")),)
        )
    if target is OrderStatus.SHIPPED and not state.captured:
        waiting = msgspec.structs.replace(state, shipment=Shipment(tracking, message.event_id))
        return Decision(
            waiting, called_off(state, waiting, message.aggregate_id, "it was asked for again, with another")
        )
    given = {} if tracking is None else {"tracking": tracking}
    after = moved(state, message, target, **given)
    return Decision(after, (event(message.aggregate_id, after),))


def take_back(policy: OrderPolicy, state: Order | None, message: Message[OrderReturn]) -> Decision[Order]:
    """Take goods back: the return's totals are what goes back to the customer."""
    if state is not None:
        if message.event_id in state.applied:
            return Decision(state)
        state = _answered(policy, state, message)
        return refused(
            state, message, Refusal.ALREADY_EXISTS, "order_id", f"{message.aggregate_id} exists already"
        )
    data = message.data
    lines = tuple(msgspec.structs.replace(line, unit_price=_price(line)) for line in data.lines)
    goods, charged = goods_amount(lines), charged_amount(data.charges)
    breach = next(_breaches(data, lines, goods + charged), None)
    if breach is not None:
        return refused(None, message, breach.reason, breach.field, breach.detail)
    snapshot = OrderSnapshot(
        kind=OrderKind.RETURN,
        status=OrderStatus.RETURNED,
        cart_id=None,
        user_id=message.user_id,
        email=data.email,
        address=data.address,
        currency=data.currency,
        lines=lines,
        charges=data.charges,
        goods=goods,
        charged=charged,
        total=goods + charged,
        payment_token=data.payment_token,
        placed_at=message.occurred_at if data.placed_at is None else data.placed_at,
        updated_at=message.occurred_at,
        reason=data.reason,
    )
    order = Order(
        snapshot,
        version=message.occurred_at,
        refunding=True,
        applied=remembered((), message.event_id, policy.remembered_commands),
    )
    return Decision(order, (event(message.aggregate_id, order),))


def _price(line: OrderLine) -> int | None:
    return line.agreed_price if line.unit_price is None else line.unit_price


def _breaches(data: OrderReturn, lines: tuple[OrderLine, ...], total: int) -> Iterator[Breach]:
    """Yield what is wrong with a return."""
    if not lines and not data.charges:
        yield Breach(Refusal.EMPTY_RETURN, "lines", "a return has lines or charges")
    if len({line.line_id for line in lines}) != len(lines):
        yield Breach(Refusal.DUPLICATE_LINE, "lines", "a line id is given twice")
    for line in lines:
        if not well_formed(line.sku):
            yield Breach(Refusal.INVALID_SKU, "lines.sku", f"{line.sku!r} is not a SKU")
        if line.quantity <= 0:
            yield Breach(
                Refusal.INVALID_QUANTITY,
                "lines.quantity",
                f"line {line.line_id}: {line.quantity} is not above 0",
            )
        if line.unit_price is None or line.unit_price < 0:
            yield Breach(
                Refusal.INVALID_PRICE, "lines.unit_price", f"line {line.line_id} needs a price of 0 or more"
            )
    if total < 0:
        yield Breach(Refusal.INVALID_TOTAL, "charges", f"a return gives money back, not {total} minor units")


def _answered(policy: OrderPolicy, state: Order, message: Message[msgspec.Struct]) -> Order:
    applied = remembered(state.applied, message.event_id, policy.remembered_commands)
    return msgspec.structs.replace(state, applied=applied)
