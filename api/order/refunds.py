"""What became of an order's money, in the shopper's words. Pure."""

from api.order.models import Order, Progress
from api.pages.rendering import day, money
from schemas.payment import PaymentStatus

_BACK = frozenset({PaymentStatus.REFUNDED, PaymentStatus.CREDITED})
_OVER = frozenset({Progress.CANCELLED, Progress.FAILED, Progress.REFUNDED, Progress.RETURNED})
_SENTENCES = {
    PaymentStatus.REFUNDED: "{amount} was refunded on {day} (UTC).",
    PaymentStatus.CREDITED: "{amount} was refunded on {day} (UTC).",
    PaymentStatus.CAPTURED: "{amount} is being refunded.",
    PaymentStatus.VOIDED: "Nothing was charged: the payment was only held, and has been released.",
    PaymentStatus.AUTHORISED: "Nothing was charged: the payment was only held, and is being released.",
}


def told(order: Order, status: Progress) -> str | None:
    """Return what there is to say about money that goes back or was never taken; None where nothing is.

    `status` is where the order stands, which may be newer than `order`.
    """
    payment = order.payment
    known = payment.status if payment else PaymentStatus.PENDING
    if status is Progress.REFUNDED and known not in _BACK:
        # The payment's row may come a moment after the order's.
        return f"{money(order.total, order.currency)} was refunded."
    if payment is None or status not in _OVER:
        return None
    text = _SENTENCES.get(known)
    return text and text.format(amount=money(payment.amount, payment.currency), day=day(payment.at))


def settling(order: Order, status: Progress) -> bool:
    """Say whether the order's own events are over, yet its money, or a refund still possible, is not."""
    if status is Progress.DELIVERED:
        return True
    if status is Progress.REFUNDED:
        return order.payment is None or order.payment.status not in _BACK
    open_payment = order.payment is not None and order.payment.status in (
        PaymentStatus.AUTHORISED,
        PaymentStatus.CAPTURED,
    )
    return status is Progress.CANCELLED and open_payment
