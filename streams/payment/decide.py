"""What becomes of a payment: pure decisions of its record and one message.

The order moves the payment's goal; the payment moves towards it one operation at a time (`course`,
`progress`), each asked of the gateway under an idempotency key of its own that every attempt repeats. An
outage is waited out: what is owed is never given up. Only an authorisation is, when its order is cancelled:
one void then settles whatever the provider made, or will make, of it. The same holds for a capture whose
outcome is unknown; where it had succeeded the provider says so, and the money is refunded.

A refused refund or credit is a definite answer: it is reported (`payment.failed`), and a `payment.refund`
asks again under a new key.
"""

import msgspec
from msgspec.structs import replace

from schemas.envelope import Message
from schemas.inventory import InventoryReserved
from schemas.order import OrderSnapshot
from schemas.payment import PaymentOutcome, PaymentRefund, PaymentStatus, ProviderOutcome
from schemas.service import TimerDue
from streams.kernel.flow import Decision
from streams.payment.course import FINAL
from streams.payment.patience import retry_delay
from streams.payment.policy import PaymentPolicy
from streams.payment.progress import Turn, again, aimed, approved, begun, declined, operation_key, pursued
from tables.payment import Goal, Payment


class UnknownPaymentError(ValueError):
    """A refund was asked for an order that has no payment, or none any more."""


class NothingToRefundError(ValueError):
    """A refund was asked where no money was taken."""


class IncompleteReturnError(ValueError):
    """Money is to go back, but nobody says where to."""


def authorise(
    policy: PaymentPolicy, state: Payment | None, message: Message[InventoryReserved]
) -> Decision[Payment]:
    """Authorise the order's total; nothing is asked of the provider where it is 0."""
    if state is not None:
        return Decision(state)
    return begun(_turn(policy, message), _fresh(message, Goal.AUTHORISED, message.data.payment_token))


def credit(
    policy: PaymentPolicy, state: Payment | None, message: Message[OrderSnapshot]
) -> Decision[Payment]:
    """Give the total of a return to its customer. Raises IncompleteReturnError where no token is given."""
    if state is not None:
        return Decision(state)
    token = message.data.payment_token
    if token is None:
        raise IncompleteReturnError(
            f"{message.event_type}: payment_token is required, return {message.aggregate_id} has none"
        )
    return begun(_turn(policy, message), _fresh(message, Goal.CREDITED, token))


def capture(
    policy: PaymentPolicy, state: Payment | None, message: Message[OrderSnapshot]
) -> Decision[Payment]:
    """Capture the confirmed order's payment."""
    return aimed(_turn(policy, message), state, Goal.CAPTURED)


def deliver(
    policy: PaymentPolicy, state: Payment | None, message: Message[OrderSnapshot]
) -> Decision[Payment]:
    """Note the delivery: the time to refund begins to run. The order was confirmed, even if not yet heard."""
    if state is None or state.delivered_at is not None:
        return Decision(state)
    return aimed(_turn(policy, message), replace(state, delivered_at=message.occurred_at), Goal.CAPTURED)


def undo(policy: PaymentPolicy, state: Payment | None, message: Message[OrderSnapshot]) -> Decision[Payment]:
    """Give back whatever was taken for a cancelled order.

    An order that is not known yet leaves a marker, so that its late `inventory.reserved` charges nobody.
    """
    if state is None:
        now = message.occurred_at
        return Decision(Payment(PaymentStatus.VOIDED, Goal.UNDONE, version=now, changed_at=now))
    return aimed(_turn(policy, message), state, Goal.UNDONE)


def refund(
    policy: PaymentPolicy, state: Payment | None, message: Message[PaymentRefund]
) -> Decision[Payment]:
    """Give captured money back; try a refused refund or credit again.

    A payment that is being undone gives everything back as it is: its order may have been asked for a refund
    just before it heard that the capture failed.

    Raises UnknownPaymentError or NothingToRefundError where there is none to give.
    """
    order_id = message.aggregate_id
    if state is None:
        raise UnknownPaymentError(f"{message.event_type}: order_id {order_id} has no payment in the table")
    if state.goal is Goal.CREDITED and state.status is PaymentStatus.FAILED:
        return begun(_turn(policy, message), replace(state, status=PaymentStatus.PENDING))
    if state.goal in (Goal.CREDITED, Goal.UNDONE) or state.status is PaymentStatus.REFUNDED:
        return Decision(state)
    if state.status not in (PaymentStatus.AUTHORISED, PaymentStatus.CAPTURED):
        raise NothingToRefundError(
            f"{message.event_type}: order_id {order_id} has nothing to refund, its payment is {state.status}"
        )
    return aimed(_turn(policy, message), state, Goal.REFUNDED)


def settle(
    policy: PaymentPolicy, state: Payment | None, message: Message[PaymentOutcome]
) -> Decision[Payment]:
    """Take the gateway's answer; one that is not to the operation under way changes nothing."""
    data, turn = message.data, _turn(policy, message)
    pending = None if state is None else state.pending
    if state is None or pending is None:
        return Decision(state)
    if data.idempotency_key != operation_key(turn.order_id, state, pending.operation):
        return Decision(state)
    if data.outcome is ProviderOutcome.UNAVAILABLE:
        if data.attempt != pending.attempt or not pending.asked:
            return Decision(state)
        again_at = turn.now + retry_delay(policy, turn.order_id, pending.attempt)
        waiting = replace(pending, asked=False, due_at=again_at)
        return pursued(turn, replace(state, pending=waiting, reason=data.reason))
    reference = data.provider_reference or state.reference
    answered = replace(state, pending=None, changed_at=turn.now, reference=reference)
    if data.outcome is ProviderOutcome.APPROVED:
        return approved(turn, answered, pending.operation)
    return declined(turn, answered, pending.operation, data.reason or "declined")


def woken(policy: PaymentPolicy, state: Payment | None, message: Message[TimerDue]) -> Decision[Payment]:
    """Ask again, where an outage was waited out or an answer never came; let a finished payment go."""
    wanted = None if state is None else due(policy, state)
    if state is None or wanted is None or wanted > message.data.due_at:
        return Decision(state)
    if state.pending is None:
        return Decision(None)
    return again(_turn(policy, message), state, state.pending)


def due(policy: PaymentPolicy, state: Payment) -> int | None:
    """Return when (ms) the payment wants to be woken: to ask again, or to leave the table."""
    if state.pending is not None:
        return state.pending.due_at
    if state.status is PaymentStatus.CAPTURED:
        delivered = state.delivered_at
        return None if delivered is None else max(delivered, state.changed_at) + policy.refund_window_ms
    owed = state.goal is Goal.CREDITED and state.status is PaymentStatus.FAILED
    return state.changed_at + policy.retention_ms if state.status in FINAL and not owed else None


def correlation(state: Payment) -> str:
    """Return in whose name the provider's answer is awaited."""
    return "" if state.pending is None else state.pending.correlation_id


def _fresh(
    message: Message[InventoryReserved] | Message[OrderSnapshot], goal: Goal, payment_token: str
) -> Payment:
    data, now = message.data, message.occurred_at
    return Payment(
        PaymentStatus.PENDING,
        goal,
        version=now,
        changed_at=now,
        amount=data.total,
        currency=data.currency,
        payment_token=payment_token,
    )


def _turn(policy: PaymentPolicy, message: Message[msgspec.Struct]) -> Turn:
    return Turn(policy, message.aggregate_id, message.occurred_at, message.correlation_id)
