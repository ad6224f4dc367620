"""What time does to a cart."""

from schemas.cart import CartStatus
from streams.cart import checkout, decide, expiry
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
)
from tests.unit.streams.said import T0, due, only
from topics.registry import CART_ABANDONED, CART_DUE, CART_UPDATED, CHECKOUT_FAILED


def wakes(state: Cart | None) -> int:
    assert state is not None
    at = expiry.due(POLICY, state)
    assert at is not None
    return at


def test_an_idle_cart_expires_and_says_what_was_in_it() -> None:
    state = filled(line("A", 2), user_id="ann")
    assert wakes(state) == T0 + POLICY.idle_ms
    decision = expiry.woken(POLICY, state, due(CART_DUE, CART_ID, wakes(state), late_ms=3))
    abandoned = only(decision, CART_ABANDONED).data
    assert (abandoned.lines, abandoned.user_id, abandoned.last_active_at) == ((line("A", 2),), "ann", T0)
    event = only(decision, CART_UPDATED)
    assert (event.data.status, event.data.lines) == (CartStatus.EXPIRED, ())
    assert event.version == state.version + 1
    assert wakes(decision.state) == T0 + POLICY.idle_ms + 3 + POLICY.retention_ms


def test_an_expired_cart_used_again_begins_anew() -> None:
    state = filled(line("A"), user_id="ann")
    expired = expiry.woken(POLICY, state, due(CART_DUE, CART_ID, wakes(state))).state
    decision = decide.add(POLICY, expired, adding(line("B"), name="new", at=wakes(expired) - 1))
    assert only(decision, CART_UPDATED).data.lines == (line("B"),)
    assert only(decision, CART_UPDATED).data.status is CartStatus.OPEN


def test_a_timer_that_the_cart_no_longer_asks_for_changes_nothing() -> None:
    state = filled(line("A"))
    old = due(CART_DUE, CART_ID, wakes(state))
    active = decide.add(POLICY, state, adding(line("B"), name="second", at=T0 + 1)).state
    for now in (active, frozen(), None):
        decision = expiry.woken(POLICY, now, old)
        assert decision.state is now
        assert decision.outputs == ()


def test_an_empty_cart_leaves_the_table_silently() -> None:
    for state in (
        decide.clear(POLICY, filled(), clearing()).state,
        decide.clear(POLICY, frozen(), clearing(ORDER_ID)).state,
    ):
        assert wakes(state) == T0 + POLICY.retention_ms
        decision = expiry.woken(POLICY, state, due(CART_DUE, CART_ID, wakes(state)))
        assert (decision.state, decision.outputs) == (None, ())


def test_a_cart_born_again_goes_on_above_its_former_versions() -> None:
    state = decide.clear(POLICY, filled(), clearing()).state
    assert state is not None
    later = decide.add(POLICY, None, adding(line(), name="later", at=wakes(state) + 1))
    assert only(later, CART_UPDATED).version > state.version


def test_a_request_whose_lines_never_come_fails_at_its_deadline() -> None:
    waiting = checkout.request(POLICY, filled(line("A")), requesting(expected_lines=2)).state
    assert wakes(waiting) == T0 + POLICY.checkout_ms
    decision = expiry.woken(POLICY, waiting, due(CART_DUE, CART_ID, wakes(waiting)))
    assert failure(decision).reason == "incomplete_cart"
    assert failure(decision).detail == "1 of 2 lines came in time"
    assert only(decision, CHECKOUT_FAILED).key == ORDER_ID
    assert decision.state is not None
    assert (decision.state.lines, decision.state.pending) == ((line("A"),), None)
    assert wakes(decision.state) == T0 + POLICY.checkout_ms + POLICY.idle_ms
