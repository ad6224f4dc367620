"""A payment and its gateway, as the tests of payment drive them."""

from typing import Any, TypeVar

import msgspec

from schemas.envelope import Message
from schemas.inventory import InventoryReserved
from schemas.order import OrderKind, OrderSnapshot, OrderStatus
from schemas.payment import PaymentInstruction, PaymentOutcome, PaymentRefund, ProviderOutcome
from schemas.service import TimerDue
from streams.kernel.flow import Decision
from streams.payment import decide
from streams.payment.policy import PaymentPolicy
from tables.payment import Payment
from topics.command import command
from topics.registry import (
    INVENTORY_RESERVED,
    ORDER_CANCELLED,
    ORDER_CONFIRMED,
    ORDER_DELIVERED,
    ORDER_RETURNED,
    PAYMENT_DUE,
    PAYMENT_INSTRUCT,
    PAYMENT_OUTCOME,
    PAYMENT_REFUND,
)
from topics.topic import Topic

D = TypeVar("D", bound=msgspec.Struct)

NOW = 1_700_000_000_000
ORDER = "0192f0c1-0000-7000-8000-000000000001"
POLICY = PaymentPolicy()


def said(topic: Topic[D], data: D, at: int = NOW) -> Message[D]:
    return command(topic, ORDER, data, occurred_at=at)


def order(
    status: OrderStatus,
    *,
    kind: OrderKind = OrderKind.SALE,
    total: int = 3270,
    token: str | None = "tok_visa",
) -> OrderSnapshot:
    return OrderSnapshot(
        kind=kind,
        status=status,
        cart_id="cart-1",
        user_id="user-1",
        email=None,
        address=None,
        currency="GBP",
        lines=(),
        charges=(),
        goods=total,
        charged=0,
        total=total,
        payment_token=token,
        placed_at=NOW,
        updated_at=NOW,
    )


def authorise(state: Payment | None = None, total: int = 3270) -> Decision[Payment]:
    reserved = InventoryReserved("cart-1", "user-1", "GBP", (), (), total, 0, total, "tok_visa")
    return decide.authorise(POLICY, state, said(INVENTORY_RESERVED, reserved))


def confirmed(state: Payment | None, at: int = NOW) -> Decision[Payment]:
    return decide.capture(POLICY, state, said(ORDER_CONFIRMED, order(OrderStatus.CONFIRMED), at))


def cancelled(state: Payment | None, at: int = NOW) -> Decision[Payment]:
    return decide.undo(POLICY, state, said(ORDER_CANCELLED, order(OrderStatus.CANCELLED), at))


def delivered(state: Payment | None, at: int = NOW) -> Decision[Payment]:
    return decide.deliver(POLICY, state, said(ORDER_DELIVERED, order(OrderStatus.DELIVERED), at))


def returned(
    state: Payment | None = None, total: int = 500, token: str | None = "tok_visa"
) -> Decision[Payment]:
    snapshot = order(OrderStatus.RETURNED, kind=OrderKind.RETURN, total=total, token=token)
    return decide.credit(POLICY, state, said(ORDER_RETURNED, snapshot))


def refund(state: Payment | None) -> Decision[Payment]:
    return decide.refund(POLICY, state, said(PAYMENT_REFUND, PaymentRefund("refunded_by_staff")))


def woken(state: Payment | None, at: int) -> Decision[Payment]:
    return decide.woken(POLICY, state, said(PAYMENT_DUE, TimerDue(at), at))


def instructions(decision: Decision[Payment]) -> list[PaymentInstruction]:
    return [out.data for out in decision.outputs if out.topic is PAYMENT_INSTRUCT]


def events(decision: Decision[Payment]) -> list[tuple[Topic[Any], Any]]:
    return [(out.topic, out.data) for out in decision.outputs if out.topic is not PAYMENT_INSTRUCT]


def instructed(decision: Decision[Payment]) -> PaymentInstruction:
    (instruction,) = instructions(decision)
    return instruction


def changed(decision: Decision[Payment]) -> Payment:
    assert decision.state is not None
    return decision.state


def answer(
    state: Payment | None,
    instruction: PaymentInstruction,
    outcome: ProviderOutcome,
    *,
    reference: str | None = None,
    reason: str | None = None,
    at: int = NOW,
) -> Decision[Payment]:
    data = PaymentOutcome(
        instruction.operation, instruction.idempotency_key, outcome, instruction.attempt, reference, reason
    )
    return decide.settle(POLICY, state, said(PAYMENT_OUTCOME, data, at))


def approve(
    state: Payment | None, instruction: PaymentInstruction, reference: str = "ref-1"
) -> Decision[Payment]:
    return answer(state, instruction, ProviderOutcome.APPROVED, reference=reference)


def decline(
    state: Payment | None, instruction: PaymentInstruction, reason: str | None = "card_declined"
) -> Decision[Payment]:
    return answer(state, instruction, ProviderOutcome.DECLINED, reason=reason)


def fail(state: Payment | None, instruction: PaymentInstruction, at: int = NOW) -> Decision[Payment]:
    return answer(state, instruction, ProviderOutcome.UNAVAILABLE, reason="circuit_open", at=at)
