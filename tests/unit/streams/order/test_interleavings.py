"""Whatever comes, in whatever order and however often: an order ends well or is cancelled, never both."""

from itertools import pairwise
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from schemas.envelope import Message
from schemas.order import OrderStatus
from schemas.payment import PaymentStatus
from streams.order.decide import due
from streams.order.machine import EVENTS, may
from tables.order import Order
from tests.unit.streams.order.orders import (
    ORDER_ID,
    POLICY,
    ROUTES,
    advancing,
    begun,
    cancelling,
    paid,
    rejected,
    reserved,
)
from tests.unit.streams.said import T0
from tests.unit.streams.said import due as timer
from topics.registry import (
    CART_CLEAR,
    CART_RESTORE,
    CHECKOUT_COMPLETED,
    CHECKOUT_FAILED,
    INVENTORY_RESERVED,
    ORDER_DUE,
    ORDER_REJECTED,
    PAYMENT_COMPLETED,
)

STATUS_OF = {topic.name: status for status, topic in EVENTS.items()}
LATE = st.sampled_from(("once", "twice"))


class Interleaving(RuleBasedStateMachine):
    """An order that hears everything it may ever hear."""

    def __init__(self) -> None:
        super().__init__()
        self.state: Order | None = None
        self.now = T0
        self.heard: list[Message[Any]] = []
        self.statuses: list[OrderStatus] = []
        self.versions: list[int] = []
        self.ends: list[str] = []
        self.carts: list[str] = []

    def hear(self, message: Message[Any]) -> None:
        self.heard.append(message)
        route = ROUTES[message.event_type]
        decision = route.handler(self.state, message)
        for out in decision.outputs:
            assert out.topic in route.emits
            if out.topic.name in STATUS_OF:
                self.statuses.append(STATUS_OF[out.topic.name])
                self.versions.append(out.version)
                assert out.data.total == out.data.goods + out.data.charged
            if out.topic in (CHECKOUT_COMPLETED, CHECKOUT_FAILED):
                self.ends.append(out.topic.name)
            if out.topic in (CART_CLEAR, CART_RESTORE) and message.event_type != begun().event_type:
                self.carts.append(out.topic.name)
        self.state = decision.state
        again = route.handler(self.state, message)
        repeated = [
            out for out in again.outputs if out.topic not in (CART_CLEAR, CART_RESTORE, ORDER_REJECTED)
        ]
        assert (again.state, repeated) == (self.state, [])

    @initialize()
    def begin(self) -> None:
        self.hear(begun())

    @rule()
    def begin_again(self) -> None:
        if self.state is not None:
            self.hear(begun())

    @rule(which=st.integers(0, 60))
    def hear_again(self, which: int) -> None:
        message = self.heard[which % len(self.heard)]
        if self.state is not None:
            self.hear(message)

    @rule(name=LATE)
    def quote(self, name: str) -> None:
        self.hear(reserved(name=name, at=self.now))

    @rule(name=LATE)
    def refuse(self, name: str) -> None:
        self.hear(rejected(name=name, at=self.now))

    @rule(name=LATE, status=st.sampled_from(sorted({"authorised", "captured", "refunded"})))
    def pay(self, name: str, status: str) -> None:
        self.hear(paid(PaymentStatus(status), name=name, at=self.now))

    @rule(name=LATE, reason=st.sampled_from(("card_declined", "capture_failed", "refund_failed: closed")))
    def fail(self, name: str, reason: str) -> None:
        self.hear(paid(PaymentStatus.FAILED, reason, name=name, at=self.now))

    @rule(user_id=st.sampled_from(("ann", "bob")), name=LATE)
    def cancel(self, user_id: str, name: str) -> None:
        self.hear(cancelling(user_id, name=f"{user_id} {name}", at=self.now))

    @rule(status=st.sampled_from(OrderStatus), name=LATE)
    def advance(self, status: OrderStatus, name: str) -> None:
        self.hear(advancing(status, name=f"{status} {name}", at=self.now))

    @rule(step=st.integers(1, 1_000_000))
    def pass_time(self, step: int) -> None:
        self.now += step

    @rule()
    def wake(self) -> None:
        at = None if self.state is None else due(POLICY, self.state)
        self.hear(timer(ORDER_DUE, ORDER_ID, min(at or self.now, self.now)))

    @invariant()
    def versions_strictly_increase(self) -> None:
        assert all(a < b for a, b in pairwise(self.versions))

    @invariant()
    def only_quote_and_payment_together_confirm(self) -> None:
        if OrderStatus.CONFIRMED in self.statuses:
            heard = {message.event_type for message in self.heard}
            assert {INVENTORY_RESERVED.name, PAYMENT_COMPLETED.name} <= heard

    @invariant()
    def every_move_is_legal(self) -> None:
        assert all(may(a, b) for a, b in pairwise(self.statuses))

    @invariant()
    def the_checkout_ends_once_and_the_cart_hears_it_once(self) -> None:
        assert len(self.ends) == len(self.carts) <= 1
        if self.ends == [CHECKOUT_COMPLETED.name]:
            assert self.carts == [CART_CLEAR.name]
        if self.ends == [CHECKOUT_FAILED.name]:
            assert self.carts == [CART_RESTORE.name]
            assert OrderStatus.CONFIRMED not in self.statuses

    def teardown(self) -> None:
        while (at := self.wakes_at()) is not None:
            self.now = max(self.now, at)
            self.hear(timer(ORDER_DUE, ORDER_ID, at))
        assert len(self.ends) == (1 if self.heard else 0)

    def wakes_at(self) -> int | None:
        return None if self.state is None else due(POLICY, self.state)


TestInterleavings = Interleaving.TestCase
TestInterleavings.settings = settings(
    max_examples=200, stateful_step_count=40, deadline=None, print_blob=True
)
