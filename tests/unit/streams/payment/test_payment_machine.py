"""One payment against a provider that fails before or after its effect, in any order of delivery.

The order and the provider are small models; whatever happens on the way, in the end the money is where the
order wants it, and no key had two effects.
"""

from typing import Any

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from schemas.inventory import InventoryReserved
from schemas.order import OrderStatus
from schemas.payment import PaymentInstruction, PaymentOperation, PaymentOutcome, ProviderOutcome
from schemas.service import TimerDue
from streams.payment.agent import FLOW
from tables.payment import Payment
from tests.unit.streams.payment.samples import NOW, order, said
from topics.registry import (
    INVENTORY_RESERVED,
    ORDER_CANCELLED,
    ORDER_CONFIRMED,
    PAYMENT_COMPLETED,
    PAYMENT_DUE,
    PAYMENT_FAILED,
    PAYMENT_INSTRUCT,
    PAYMENT_OUTCOME,
)

ROUTES = {route.topic.name: route for route in FLOW.routes}
AMOUNT = 3270
Op = PaymentOperation


class Provider:
    """What any provider promises: one effect per key, and a void forbids what comes after it."""

    def __init__(self, *, authorises: bool, captures: bool) -> None:
        self.authorises, self.captures = authorises, captures
        self.answers: dict[str, tuple[ProviderOutcome, str | None]] = {}
        self.hold = self.taken = 0
        self.captured_once = self.voided = False

    def perform(self, asked: PaymentInstruction) -> tuple[ProviderOutcome, str | None]:
        if asked.idempotency_key not in self.answers:
            self.answers[asked.idempotency_key] = self.effect(asked)
        return self.answers[asked.idempotency_key]

    def effect(self, asked: PaymentInstruction) -> tuple[ProviderOutcome, str | None]:
        refused = (ProviderOutcome.DECLINED, "refused")
        match asked.operation:
            case Op.AUTHORISE:
                if self.voided or not self.authorises:
                    return refused
                self.hold = asked.amount
            case Op.CAPTURE:
                if not self.hold or not self.captures:
                    return refused
                assert not self.captured_once
                self.hold, self.taken, self.captured_once = 0, asked.amount, True
            case Op.VOID:
                if self.taken:
                    return ProviderOutcome.DECLINED, "already_captured"
                self.hold, self.voided = 0, True
            case _:
                assert self.taken == asked.amount
                self.taken = 0
        return ProviderOutcome.APPROVED, None


class PaymentMachine(RuleBasedStateMachine):
    @initialize(authorises=st.booleans(), captures=st.booleans())
    def begin(self, authorises: bool, captures: bool) -> None:  # noqa: FBT001 - drawn by Hypothesis
        self.provider = Provider(authorises=authorises, captures=captures)
        self.now = NOW
        self.state: Payment | None = None
        self.confirmed = self.cancelled = False
        self.instructions: list[PaymentInstruction] = []
        reserved = InventoryReserved("cart-1", "user-1", "GBP", (), (), AMOUNT, 0, AMOUNT, "tok_visa")
        self.waiting: list[Any] = [said(INVENTORY_RESERVED, reserved)]
        self.delivered: list[Any] = []

    def deliver(self, message: Any) -> None:
        route = ROUTES[message.event_type]
        self.now += 1
        decision = route.handler(self.state, msgspec.structs.replace(message, occurred_at=self.now))
        self.state = decision.state
        for out in decision.outputs:
            assert out.topic in route.emits
            if out.topic is PAYMENT_INSTRUCT:
                self.instructions.append(out.data)
            elif out.topic is PAYMENT_COMPLETED and not self.cancelled:
                assert not self.confirmed
                self.confirmed = True
                self.waiting.append(said(ORDER_CONFIRMED, order(OrderStatus.CONFIRMED)))
            elif out.topic is PAYMENT_FAILED and not self.cancelled:
                self.cancel()

    def cancel(self) -> None:
        self.cancelled = True
        self.waiting.append(said(ORDER_CANCELLED, order(OrderStatus.CANCELLED)))

    def perform(self, asked: PaymentInstruction, *, reached: bool, answered: bool) -> None:
        outcome, reason = ProviderOutcome.UNAVAILABLE, "timeout"
        if reached:
            known = self.provider.perform(asked)
            if answered:
                outcome, reason = known[0], known[1] or "approved"
        data = PaymentOutcome(asked.operation, asked.idempotency_key, outcome, asked.attempt, "ref", reason)
        self.waiting.append(said(PAYMENT_OUTCOME, data))

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

    @precondition(lambda self: self.instructions)
    @rule(reached=st.booleans(), answered=st.booleans())
    def gateway(self, reached: bool, answered: bool) -> None:  # noqa: FBT001 - drawn by Hypothesis
        # One order's instructions are performed in their order.
        self.perform(self.instructions.pop(0), reached=reached, answered=answered)

    @precondition(lambda self: self.instructions)
    @rule(reached=st.booleans())
    def gateway_dies_and_repeats(self, reached: bool) -> None:  # noqa: FBT001 - drawn by Hypothesis
        if reached:
            self.provider.perform(self.instructions[0])

    @precondition(lambda self: self.state is not None and self.state.pending is not None)
    @rule()
    def timer(self) -> None:
        self.wake()

    @precondition(lambda self: not self.cancelled)
    @rule()
    def cancel_order(self) -> None:
        self.cancel()

    def wake(self) -> None:
        assert self.state is not None
        assert FLOW.due is not None
        due = FLOW.due(self.state)
        assert due is not None
        self.now = max(self.now, due)
        self.deliver(said(PAYMENT_DUE, TimerDue(due)))

    @invariant()
    def the_money_is_there_once(self) -> None:
        assert self.provider.hold + self.provider.taken in (0, AMOUNT)

    def teardown(self) -> None:
        for _ in range(100):
            while self.waiting or self.instructions:
                while self.waiting:
                    self.deliver(self.waiting.pop(0))
                if self.instructions:
                    self.perform(self.instructions.pop(0), reached=True, answered=True)
            if self.state is None or self.state.pending is None:
                break
            self.wake()
        assert self.state is not None
        assert self.state.pending is None
        kept = self.confirmed and not self.cancelled
        assert self.provider.taken == (AMOUNT if kept else 0)
        assert self.provider.hold == 0


TestPaymentMachine = PaymentMachine.TestCase
TestPaymentMachine.settings = settings(
    max_examples=300, stateful_step_count=25, deadline=None, print_blob=True
)
