"""How a cart is bought: frozen for one order, and opened by its end."""

from typing import Any

import msgspec
import pytest

from schemas.cart import CartStatus
from schemas.checkout import Charge, Consent
from schemas.envelope import Message
from streams.cart import checkout, decide
from streams.cart.policy import CartPolicy
from tables.cart import Cart
from tests.unit.streams.cart.carts import (
    CART_ID,
    ORDER_ID,
    POLICY,
    adding,
    clearing,
    failure,
    filled,
    frozen,
    line,
    requesting,
    restoring,
)
from tests.unit.streams.said import T0, only, sent
from topics.registry import CART_UPDATED, CHECKOUT_FAILED, CHECKOUT_STARTED

POSTAGE = Charge("POST", "Postage", 1, 1800)


def test_a_checkout_freezes_the_cart_and_begins_the_order() -> None:
    message = requesting(at=T0 + 5, user_id="ann", charges=(POSTAGE,), email="ann@example.org")
    decision = checkout.request(POLICY, filled(line("A", 2)), message)
    event = only(decision, CART_UPDATED)
    assert (event.data.status, event.data.order_id) == (CartStatus.FROZEN, ORDER_ID)
    assert event.data.user_id == "ann"
    started = only(decision, CHECKOUT_STARTED)
    assert (started.key, started.user_id) == (ORDER_ID, "ann")
    assert (started.data.cart_id, started.data.user_id, started.data.currency) == (CART_ID, "ann", "GBP")
    assert (started.data.lines, started.data.charges) == ((line("A", 2),), (POSTAGE,))
    assert (started.data.payment_token, started.data.email) == ("tok_visa", "ann@example.org")
    assert started.data.placed_at == T0 + 5
    assert started.data.deadline_at == T0 + 5 + POLICY.checkout_ms


def test_a_trusted_source_says_when_the_order_was_placed() -> None:
    decision = checkout.request(POLICY, filled(), requesting(placed_at=1_291_193_160_000))
    started = only(decision, CHECKOUT_STARTED).data
    assert started.placed_at == 1_291_193_160_000
    assert started.deadline_at == T0 + POLICY.checkout_ms


def test_the_same_checkout_again_changes_nothing() -> None:
    state = frozen()
    for order_id_again in (requesting(), requesting(at=T0 + 7)):
        decision = checkout.request(POLICY, state, order_id_again)
        assert (decision.state, decision.outputs) == (state, ())


def test_a_frozen_cart_is_not_bought_twice() -> None:
    decision = checkout.request(POLICY, frozen(), requesting("order-2"))
    assert failure(decision).reason == "cart_frozen"
    assert only(decision, CHECKOUT_FAILED).key == "order-2"
    assert decision.state is not None
    assert decision.state.order_id == ORDER_ID


def test_an_empty_cart_cannot_be_bought_and_stays_open() -> None:
    decision = checkout.request(POLICY, None, requesting())
    assert failure(decision).reason == "empty_cart"
    assert decision.state is not None
    assert decision.state.status is CartStatus.OPEN
    filled_now = decide.add(POLICY, decision.state, adding(line())).state
    assert checkout.request(POLICY, filled_now, requesting(at=T0 + 1)).outputs == ()


def test_charges_alone_can_be_bought() -> None:
    decision = checkout.request(POLICY, None, requesting(charges=(POSTAGE,), expected_lines=0))
    assert only(decision, CHECKOUT_STARTED).data.lines == ()


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (requesting(currency="???", user_id="ann"), "invalid_currency"),
        (requesting(charges=(Charge("M", "Manual", 0, 5),), user_id="ann"), "invalid_charge"),
        (requesting(user_id="bob"), "forbidden"),
    ],
)
def test_an_unsound_request_ends_at_once(message: Message[Any], reason: str) -> None:
    decision = checkout.request(POLICY, filled(user_id="ann"), message)
    assert failure(decision).reason == reason
    assert decision.state is not None
    assert decision.state.status is CartStatus.OPEN


def test_a_request_waits_for_the_lines_that_the_shopper_saw() -> None:
    waiting = checkout.request(POLICY, filled(line("A")), requesting(expected_lines=2))
    assert waiting.outputs == ()
    assert waiting.state is not None
    assert waiting.state.pending is not None
    assert waiting.state.pending.deadline_at == T0 + POLICY.checkout_ms
    again = checkout.request(POLICY, waiting.state, requesting(expected_lines=2, at=T0 + 1))
    assert (again.state, again.outputs) == (waiting.state, ())
    other = checkout.request(POLICY, waiting.state, requesting("order-2"))
    assert failure(other).reason == "checkout_pending"
    assert other.state is not None
    assert other.state.pending is not None


def test_a_cart_with_more_lines_than_expected_is_complete() -> None:
    decision = checkout.request(POLICY, filled(line("A"), line("B")), requesting(expected_lines=1))
    assert len(only(decision, CHECKOUT_STARTED).data.lines) == 2


def shown(cart: Cart, total: int = 100) -> dict[str, Any]:
    return {"consent": Consent(cart.version, total)}


def test_a_cart_as_it_was_shown_is_bought_and_names_the_total() -> None:
    cart = filled(line("A"))
    decision = checkout.request(POLICY, cart, requesting(**shown(cart, 295)))
    assert only(decision, CHECKOUT_STARTED).data.consented == 295


def test_a_cart_that_another_tab_changed_is_not_bought() -> None:
    before = filled(line("A"))
    edits = (
        decide.add(POLICY, before, adding(line("B"), name="second")),
        decide.add(POLICY, before, adding(line("A"), name="second")),
        decide.clear(POLICY, before, clearing()),
    )
    for edit, reason in zip(edits, ("cart_changed", "cart_changed", "empty_cart"), strict=True):
        decision = checkout.request(POLICY, edit.state, requesting(**shown(before)))
        assert failure(decision).reason == reason
        assert decision.state is not None
        assert decision.state.status is CartStatus.OPEN


def test_a_cart_of_a_version_that_never_was_is_not_bought() -> None:
    cart = filled(line("A"))
    future: dict[str, Any] = {"consent": Consent(cart.version + 1, 100)}
    assert failure(checkout.request(POLICY, cart, requesting(**future))).reason == "cart_changed"


def test_what_froze_and_opened_the_cart_is_no_change_of_what_was_shown() -> None:
    cart = filled(line("A"))
    taken = checkout.request(POLICY, cart, requesting(**shown(cart))).state
    opened = checkout.restore(POLICY, taken, restoring()).state
    for version in (cart.version, cart.version + 1, cart.version + 2):
        again: dict[str, Any] = {"consent": Consent(version, 100)}
        assert sent(checkout.request(POLICY, opened, requesting("order-2", **again))) == [
            CART_UPDATED,
            CHECKOUT_STARTED,
        ]
    bought = decide.clear(POLICY, taken, clearing(ORDER_ID)).state
    refilled = decide.add(POLICY, bought, adding(line("A"), name="later")).state
    stale = checkout.request(POLICY, refilled, requesting("order-2", **shown(cart)))
    assert failure(stale).reason == "cart_changed"


def test_of_lines_whose_beginning_is_not_known_only_the_newest_version_was_shown() -> None:
    cart = msgspec.structs.replace(filled(line("A")), lines_version=0)
    older: dict[str, Any] = {"consent": Consent(cart.version - 1, 100)}
    assert failure(checkout.request(POLICY, cart, requesting(**older))).reason == "cart_changed"
    assert CHECKOUT_STARTED in sent(checkout.request(POLICY, cart, requesting(**shown(cart))))


def test_whoever_waits_for_lines_agrees_to_so_many_of_them() -> None:
    consent: dict[str, Any] = {"consent": Consent(0, 200), "expected_lines": 2}
    waiting = checkout.request(POLICY, filled(line("A")), requesting(**consent)).state
    complete = decide.add(POLICY, waiting, adding(line("B"), name="second"))
    assert only(complete, CHECKOUT_STARTED).data.consented == 200
    surprised = decide.add(POLICY, waiting, adding(line("B"), line("C"), name="second"))
    assert sent(surprised) == [CART_UPDATED, CHECKOUT_FAILED]
    assert only(surprised, CHECKOUT_FAILED).data.reason == "cart_changed"
    assert surprised.state is not None
    assert (surprised.state.status, surprised.state.pending) == (CartStatus.OPEN, None)
    assert len(surprised.state.lines) == 3
    full = filled(line("A"), line("B"), line("C"))
    assert failure(checkout.request(POLICY, full, requesting(**consent))).reason == "cart_changed"


def test_a_held_checkout_gets_its_time_from_where_it_begins() -> None:
    waiting = checkout.request(POLICY, None, requesting(expected_lines=1)).state
    decision = decide.add(POLICY, waiting, adding(line(), at=T0 + 60_000))
    started = only(decision, CHECKOUT_STARTED).data
    assert (started.placed_at, started.deadline_at) == (T0, T0 + 60_000 + POLICY.checkout_ms)


def test_a_confirmed_order_leaves_the_cart_open_and_empty() -> None:
    decision = decide.clear(POLICY, frozen(line("A")), clearing(ORDER_ID))
    event = only(decision, CART_UPDATED).data
    assert (event.status, event.lines, event.order_id) == (CartStatus.OPEN, (), None)
    assert checkout.request(POLICY, decision.state, requesting(at=T0 + 1)).outputs == ()


def test_a_cancelled_order_leaves_the_cart_as_it_was() -> None:
    decision = checkout.restore(POLICY, frozen(line("A", 3)), restoring())
    event = only(decision, CART_UPDATED).data
    assert (event.status, event.lines, event.order_id) == (CartStatus.OPEN, (line("A", 3),), None)
    assert checkout.request(POLICY, decision.state, requesting("order-2")).outputs != ()


def test_only_the_order_that_froze_the_cart_opens_it() -> None:
    for state in (None, filled(line("A")), frozen(line("A"))):
        restored = checkout.restore(POLICY, state, restoring("order-9"))
        cleared = decide.clear(POLICY, state, clearing("order-9"))
        assert restored.state is cleared.state is state
        assert restored.outputs == cleared.outputs == ()


def test_the_end_of_an_order_twice_is_once() -> None:
    opened = checkout.restore(POLICY, frozen(line("A")), restoring()).state
    assert checkout.restore(POLICY, opened, restoring()).outputs == ()
    assert decide.clear(POLICY, opened, clearing(ORDER_ID)).outputs == ()


def test_old_orders_are_forgotten_at_last() -> None:
    policy = CartPolicy(remembered_orders=1)
    state = filled()
    for order_id in ("order-1", "order-2"):
        cart = checkout.request(policy, state, requesting(order_id)).state
        opened = checkout.restore(policy, cart, restoring(order_id)).state
        assert opened is not None
        state = opened
    assert state.finished == ("order-2",)
