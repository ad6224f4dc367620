"""How a payment moves on: an operation asked, an answer taken, and what is said of it.

A step ends with the next operation asked for, or with nothing left to do. Where the amount is 0 nobody is
asked: every operation succeeds at once.
"""

import msgspec
from msgspec.structs import replace

from schemas.envelope import derived_id
from schemas.payment import PaymentInstruction, PaymentOperation, PaymentSnapshot, PaymentStatus
from schemas.refusal import Refusal
from streams.kernel.flow import Decision, Out
from streams.payment.course import FINAL, REACHED, next_operation
from streams.payment.patience import answer_delay
from streams.payment.policy import PaymentPolicy
from tables.payment import Goal, Payment, Pending
from topics.registry import PAYMENT_CAPTURED, PAYMENT_FAILED, PAYMENT_INSTRUCT
from topics.topic import Topic

ALREADY_CAPTURED = "already_captured"
"""The provider's reason for refusing to void what it had captured."""

_REVOCABLE = (PaymentOperation.AUTHORISE, PaymentOperation.CAPTURE)


class Turn(msgspec.Struct, frozen=True):
    """One message's turn at one order's payment, at `now` (ms), in the name of its correlation."""

    policy: PaymentPolicy
    order_id: str
    now: int
    correlation_id: str


def operation_key(order_id: str, payment: Payment, operation: PaymentOperation) -> str:
    """Return the idempotency key that every attempt at the operation shows the provider."""
    return derived_id("payment", order_id, operation, str(payment.refusals))


def begun(turn: Turn, payment: Payment) -> Decision[Payment]:
    """Ask for a new payment's first operation; an amount below 0 fails."""
    if payment.amount < 0:
        failed = replace(payment, status=PaymentStatus.FAILED, reason="negative_amount")
        return _said(turn, failed, PAYMENT_FAILED)
    return pursued(turn, payment)


def aimed(turn: Turn, payment: Payment | None, goal: Goal) -> Decision[Payment]:
    """Raise the goal and move towards it; a goal already higher stays, and an end is an end."""
    if payment is None or payment.goal >= goal or payment.status in FINAL:
        return Decision(payment)
    return pursued(turn, replace(payment, goal=goal))


def pursued(turn: Turn, payment: Payment) -> Decision[Payment]:
    """Ask for the next operation on the way to the goal, unless the last one's outcome is awaited."""
    if payment.pending is not None:
        if not _revoked(payment, payment.pending):
            return Decision(payment)
        payment = replace(payment, pending=None)
    operation = next_operation(payment)
    if operation is None:
        return Decision(payment)
    if payment.amount == 0:
        return approved(turn, replace(payment, changed_at=turn.now), operation)
    return asked(turn, payment, operation, 1)


def asked(turn: Turn, payment: Payment, operation: PaymentOperation, attempt: int) -> Decision[Payment]:
    """Instruct the gateway, and expect its answer within the policy's time."""
    instruction = PaymentInstruction(
        operation=operation,
        idempotency_key=operation_key(turn.order_id, payment, operation),
        amount=payment.amount,
        currency=payment.currency,
        payment_token=payment.payment_token,
        attempt=attempt,
        provider_reference=payment.reference,
    )
    due_at = turn.now + answer_delay(turn.policy, attempt)
    pending = Pending(operation, attempt, due_at, correlation_id=turn.correlation_id)
    after = replace(payment, pending=pending, attempts=attempt)
    return Decision(after, (Out(PAYMENT_INSTRUCT, turn.order_id, instruction),))


def again(turn: Turn, payment: Payment, pending: Pending) -> Decision[Payment]:
    """Repeat the operation that nobody has answered, unless it is not wanted any more."""
    unanswered = replace(pending, asked=False)
    if _revoked(payment, unanswered):
        return pursued(turn, replace(payment, pending=unanswered))
    return asked(turn, payment, pending.operation, pending.attempt + 1)


def approved(turn: Turn, payment: Payment, operation: PaymentOperation) -> Decision[Payment]:
    """Say where the operation led, and go on from there."""
    status, topic = REACHED[operation]
    reason = payment.reason if status is PaymentStatus.VOIDED else None
    return _followed(turn, _said(turn, replace(payment, status=status, reason=reason), topic))


def declined(turn: Turn, payment: Payment, operation: PaymentOperation, reason: str) -> Decision[Payment]:
    """Say what the refusal means: for an authorisation the end, for money owed that people must look."""
    if operation is PaymentOperation.VOID and reason == ALREADY_CAPTURED:
        captured = replace(payment, status=PaymentStatus.CAPTURED, reason=None)
        return _followed(turn, _said(turn, captured, PAYMENT_CAPTURED))
    if operation is PaymentOperation.CAPTURE:
        # The hold is still there, and nobody will use it.
        held = replace(payment, goal=Goal.UNDONE, reason=Refusal.CAPTURE_FAILED)
        return _followed(turn, _said(turn, held, PAYMENT_FAILED, PaymentStatus.FAILED))
    refusals = payment.refusals + 1
    if operation is PaymentOperation.REFUND:
        reason = f"refund_failed: {reason}"
        kept = replace(payment, goal=Goal.CAPTURED, reason=reason, refusals=refusals)
        return _said(turn, kept, PAYMENT_FAILED)
    if operation is not PaymentOperation.AUTHORISE:
        reason = f"{operation}_failed: {reason}"
    failed = replace(payment, status=PaymentStatus.FAILED, reason=reason, refusals=refusals)
    return _said(turn, failed, PAYMENT_FAILED)


def _revoked(payment: Payment, pending: Pending) -> bool:
    """Say whether an operation of unknown outcome, and not under way, is not wanted any more."""
    return not pending.asked and payment.goal is Goal.UNDONE and pending.operation in _REVOCABLE


def _said(
    turn: Turn, payment: Payment, topic: Topic[PaymentSnapshot], status: PaymentStatus | None = None
) -> Decision[Payment]:
    """Return the payment and the event of its full public state."""
    changed = replace(payment, version=payment.version + 1)
    snapshot = PaymentSnapshot(
        status=status or changed.status,
        amount=changed.amount,
        currency=changed.currency,
        provider_reference=changed.reference,
        attempts=changed.attempts,
        reason=changed.reason,
    )
    return Decision(changed, (Out(topic, turn.order_id, snapshot, changed.version),))


def _followed(turn: Turn, said: Decision[Payment]) -> Decision[Payment]:
    assert said.state is not None, "a payment that changes stays in the table"
    further = pursued(turn, said.state)
    return Decision(further.state, (*said.outputs, *further.outputs))
