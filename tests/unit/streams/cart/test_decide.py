"""A shopper's commands on a cart."""

from typing import Any

import pytest

from schemas.cart import CartAbsorb, CartChange, CartLine, CartRemove, CartStatus
from schemas.service import TimerDue
from streams.cart import checkout, decide, expiry
from streams.cart import merging as merging_flow
from tables.cart import Cart
from tests.unit.streams.cart.carts import (
    CART_ID,
    ORDER_ID,
    POLICY,
    absorbing,
    adding,
    clearing,
    filled,
    frozen,
    line,
    merging,
    refusal,
    requesting,
    restoring,
)
from tests.unit.streams.said import T0, only, said, sent
from topics.registry import (
    CART_ABSORB,
    CART_ADD,
    CART_CHANGE,
    CART_DUE,
    CART_REJECTED,
    CART_REMOVE,
    CART_UPDATED,
    CHECKOUT_FAILED,
    CHECKOUT_STARTED,
)


def changing(line_id: str, quantity: int, **more: Any) -> Any:
    return said(CART_CHANGE, CART_ID, CartChange(line_id, quantity), **more)


def removing(line_id: str, **more: Any) -> Any:
    return said(CART_REMOVE, CART_ID, CartRemove(line_id), **more)


def lines_of(state: Cart | None) -> tuple[CartLine, ...]:
    assert state is not None
    return state.lines


def test_the_first_command_creates_the_cart() -> None:
    decision = decide.add(POLICY, None, adding(line("A", 2), user_id="ann"))
    event = only(decision, CART_UPDATED)
    assert event.key == CART_ID
    assert event.data.lines == (line("A", 2),)
    assert (event.data.status, event.data.user_id, event.data.order_id) == (CartStatus.OPEN, "ann", None)
    assert event.data.updated_at == T0


def test_adding_the_same_line_again_raises_its_quantity() -> None:
    decision = decide.add(POLICY, filled(line("A", 2)), adding(line("A", 3), line("B"), name="second"))
    assert lines_of(decision.state) == (line("A", 5), line("B"))
    assert only(decision, CART_UPDATED).version == filled().version + 1


def test_lines_of_one_sku_stay_apart_where_their_ids_do() -> None:
    state = filled(line("A", 2, line_id="1", agreed_price=90), line("A", 1, line_id="2", agreed_price=80))
    assert len(state.lines) == 2


@pytest.mark.parametrize(
    "other", [line("B", line_id="A"), line("A", agreed_price=5)], ids=["another sku", "another price"]
)
def test_a_line_id_stands_for_one_sku_and_price(other: CartLine) -> None:
    decision = decide.add(POLICY, filled(line("A")), adding(other, name="second"))
    assert (refusal(decision).reason, refusal(decision).field) == ("line_conflict", "lines.line_id")
    assert lines_of(decision.state) == (line("A"),)


@pytest.mark.parametrize(
    ("bad", "reason", "field"),
    [
        ((), "no_lines", "lines"),
        ((line("A", 0),), "invalid_quantity", "lines.quantity"),
        ((line("A", -1),), "invalid_quantity", "lines.quantity"),
        ((line("A", 11),), "invalid_quantity", "lines.quantity"),
        ((line("A", 10), line("A", 1)), "invalid_quantity", "lines.quantity"),
        ((line("A", 1), line("A", -1)), "invalid_quantity", "lines.quantity"),
        ((line("no\nsku", line_id="A"),), "invalid_sku", "lines.sku"),
        ((line("A", line_id=""),), "invalid_line_id", "lines.line_id"),
        ((line("A", line_id="l" * 101),), "invalid_line_id", "lines.line_id"),
        ((line("A", agreed_price=-1),), "invalid_price", "lines.agreed_price"),
        ((line("A", agreed_price=100_000_001),), "invalid_price", "lines.agreed_price"),
        (tuple(map(line, "ABCD")), "too_many_lines", "lines"),
    ],
)
def test_lines_are_added_all_or_none(bad: tuple[CartLine, ...], reason: str, field: str) -> None:
    fresh = decide.add(POLICY, None, adding(*bad))
    assert (refusal(fresh).reason, refusal(fresh).field) == (reason, field)
    assert lines_of(fresh.state) == ()
    message = adding(*bad[:1], line("F", 99), name="second")
    assert lines_of(decide.add(POLICY, filled(line("E")), message).state) == (line("E"),)


def test_a_command_twice_has_one_effect() -> None:
    state = filled(line("A", 2))
    for decision in (
        decide.add(POLICY, state, adding(line("A", 2))),
        decide.absorb(POLICY, decide.absorb(POLICY, state, absorbing(line("B"))).state, absorbing(line("B"))),
        merging_flow.merge(POLICY, merging_flow.merge(POLICY, state, merging()).state, merging()),
    ):
        assert decision.outputs == ()


def test_a_refused_command_stays_refused_when_it_comes_again() -> None:
    message = changing("B", 3)
    refused = decide.change(POLICY, filled(line("A")), message)
    assert refusal(refused).reason == "unknown_line"
    added = decide.add(POLICY, refused.state, adding(line("B"), name="second"))
    again = decide.change(POLICY, added.state, message)
    assert again.outputs == ()
    assert lines_of(again.state) == (line("A"), line("B"))


def test_a_quantity_is_set() -> None:
    decision = decide.change(POLICY, filled(line("A"), line("B")), changing("B", 7))
    assert lines_of(decision.state) == (line("A"), line("B", 7))


@pytest.mark.parametrize("quantity", [0, -1, 11])
def test_a_quantity_outside_the_limits_is_refused(quantity: int) -> None:
    decision = decide.change(POLICY, filled(line("A")), changing("A", quantity))
    assert (refusal(decision).reason, refusal(decision).field) == ("invalid_quantity", "quantity")


def test_a_line_is_removed() -> None:
    decision = decide.remove(POLICY, filled(line("A"), line("B")), removing("A"))
    assert lines_of(decision.state) == (line("B"),)
    unknown = decide.remove(POLICY, decision.state, removing("A", name="second"))
    assert refusal(unknown).reason == "unknown_line"


def test_a_cart_is_cleared_by_its_shopper() -> None:
    decision = decide.clear(POLICY, filled(line("A")), clearing())
    assert only(decision, CART_UPDATED).data.lines == ()


def test_a_frozen_cart_refuses_changes() -> None:
    state = frozen(line("A"))
    for decision in (
        decide.add(POLICY, state, adding(line("B"), name="second")),
        decide.change(POLICY, state, changing("A", 2)),
        decide.remove(POLICY, state, removing("A")),
        decide.clear(POLICY, state, clearing()),
    ):
        assert refusal(decision).reason == "cart_frozen"
        assert lines_of(decision.state) == (line("A"),)


@pytest.mark.parametrize("sender", [None, "bob"])
def test_a_cart_is_its_owners(sender: str | None) -> None:
    for state in (filled(line("A"), user_id="ann"), frozen(line("A"), user_id="ann")):
        for decision in (
            decide.add(POLICY, state, adding(line("B"), name="second", user_id=sender)),
            merging_flow.merge(POLICY, state, merging(user_id=sender)),
            decide.absorb(POLICY, state, absorbing(line("B"), user_id=sender)),
        ):
            assert (refusal(decision).reason, refusal(decision).field) == ("forbidden", "user_id")


def test_a_guests_cart_becomes_the_users_who_uses_it() -> None:
    decision = decide.add(POLICY, filled(line("A")), adding(line("B"), name="second", user_id="ann"))
    assert only(decision, CART_UPDATED).data.user_id == "ann"


def test_a_guests_cart_moves_into_the_users() -> None:
    decision = merging_flow.merge(POLICY, filled(line("A", 2)), merging(at=T0 + 9, user_id="ann"))
    assert only(decision, CART_UPDATED).data.status is CartStatus.MERGED
    assert only(decision, CART_UPDATED).data.lines == ()
    absorb = only(decision, CART_ABSORB)
    assert (absorb.key, absorb.data) == ("cart-2", CartAbsorb(CART_ID, (line("A", 2),)))


def test_an_empty_cart_moves_nothing() -> None:
    assert sent(merging_flow.merge(POLICY, None, merging())) == [CART_UPDATED]


def test_a_cart_is_not_merged_into_itself() -> None:
    assert refusal(merging_flow.merge(POLICY, filled(), merging(CART_ID))).reason == "same_cart"


def test_a_cart_that_is_being_bought_moves_when_it_is_restored() -> None:
    wish = merging_flow.merge(POLICY, frozen(line("A", 2)), merging(at=T0 + 9, user_id="ann"))
    assert only(wish, CART_UPDATED).data.status is CartStatus.FROZEN
    decision = checkout.restore(POLICY, wish.state, restoring(at=T0 + 20))
    assert sent(decision) == [CART_UPDATED, CART_UPDATED, CART_ABSORB]
    absorb = decision.outputs[-1]
    assert (absorb.key, absorb.user_id) == ("cart-2", "ann")
    assert absorb.data == CartAbsorb(CART_ID, (line("A", 2),))
    assert decision.state is not None
    assert (decision.state.status, decision.state.merging) == (CartStatus.MERGED, None)
    late = decide.add(POLICY, decision.state, adding(line("B"), name="late", at=T0 + 8))
    assert only(late, CART_ABSORB).key == "cart-2"


def test_a_cart_that_was_bought_moves_nothing() -> None:
    wish = merging_flow.merge(POLICY, frozen(line("A")), merging(user_id="ann")).state
    decision = decide.clear(POLICY, wish, clearing(ORDER_ID, name="bought"))
    assert sent(decision) == [CART_UPDATED, CART_UPDATED]
    assert lines_of(decision.state) == ()


def test_a_cart_that_waits_to_be_bought_moves_when_that_has_ended() -> None:
    waiting = checkout.request(POLICY, filled(line("A")), requesting(expected_lines=2)).state
    wish = merging_flow.merge(POLICY, waiting, merging(user_id="ann")).state
    assert wish is not None
    timer = said(CART_DUE, CART_ID, TimerDue(T0 + POLICY.checkout_ms), at=T0 + POLICY.checkout_ms)
    decision = expiry.woken(POLICY, wish, timer)
    assert sent(decision) == [CHECKOUT_FAILED, CART_UPDATED, CART_ABSORB]


def test_a_cart_goes_to_the_user_who_came_first() -> None:
    wish = merging_flow.merge(POLICY, frozen(line("A")), merging(user_id="ann")).state
    other = merging_flow.merge(POLICY, wish, merging("cart-3", user_id="bob", name="other"))
    assert refusal(other).reason == "merge_pending"
    same = merging_flow.merge(POLICY, wish, merging(user_id="ann", name="again"))
    assert sent(same) == [CART_UPDATED]


def test_a_product_that_has_anothers_sku_takes_its_line() -> None:
    old, new = line("A", 3, incarnation=5), line("A", 1, incarnation=9)
    state = filled(old)
    renewed = decide.add(POLICY, state, adding(new, name="second"))
    assert lines_of(renewed.state) == (new,)
    stale = decide.add(POLICY, renewed.state, adding(old, name="third"))
    assert (refusal(stale).reason, refusal(stale).field) == ("product_replaced", "lines.sku")
    unsaid = decide.add(POLICY, renewed.state, adding(line("A", 2), name="fourth"))
    assert lines_of(unsaid.state) == (line("A", 3, incarnation=9),)
    changed = decide.change(POLICY, unsaid.state, changing("A", 2))
    assert lines_of(changed.state) == (line("A", 2, incarnation=9),)


def test_lines_added_before_the_merge_but_late_follow_the_others() -> None:
    merged = merging_flow.merge(POLICY, filled(line("A")), merging(at=T0 + 9, user_id="ann")).state
    late = adding(line("B"), name="late", at=T0 + 8)
    decision = decide.add(POLICY, merged, late)
    absorb = only(decision, CART_ABSORB)
    assert (absorb.key, absorb.user_id, absorb.data.lines) == ("cart-2", "ann", (line("B"),))
    assert decide.add(POLICY, decision.state, late).outputs == ()


def test_a_merged_cart_used_again_begins_anew() -> None:
    merged = merging_flow.merge(POLICY, filled(line("A")), merging(at=T0 + 9, user_id="ann"))
    assert merged.state is not None
    decision = decide.add(POLICY, merged.state, adding(line("B"), name="new", at=T0 + 9))
    event = only(decision, CART_UPDATED)
    assert (event.data.status, event.data.lines, event.data.user_id) == (CartStatus.OPEN, (line("B"),), None)
    assert event.version == merged.state.version + 1


def test_absorbing_takes_what_fits_and_says_what_does_not() -> None:
    state = filled(line("A", 9), line("B"), user_id="ann")
    message = absorbing(line("A", 2), line("B", 2), line("C"), line("D"), user_id="ann")
    decision = decide.absorb(POLICY, state, message)
    assert lines_of(decision.state) == (line("A", 10), line("B", 3), line("C")), "A up to the limit"
    rejected = only(decision, CART_REJECTED).data
    assert (rejected.command, rejected.reason) == (CART_ABSORB.name, "invalid_quantity")
    assert rejected.detail.startswith("2 lines were not taken over")


def test_of_a_line_that_is_too_large_there_is_room_for_some_or_none() -> None:
    full = decide.absorb(POLICY, filled(line("A", 10)), absorbing(line("A", 5)))
    assert lines_of(full.state) == (line("A", 10),)
    fresh = decide.absorb(POLICY, filled(line("B")), absorbing(line("A", 60)))
    assert lines_of(fresh.state) == (line("B"), line("A", 10))
    other = decide.absorb(POLICY, filled(line("A", 4)), absorbing(line("A", 60, agreed_price=5)))
    assert lines_of(other.state) == (line("A", 4),)
    for decision in (full, fresh, other):
        assert CART_REJECTED in sent(decision)


def test_what_a_frozen_cart_absorbs_joins_it_when_it_opens() -> None:
    waiting = decide.absorb(POLICY, frozen(line("A")), absorbing(line("A"), line("B")))
    assert waiting.outputs == ()
    restored = checkout.restore(POLICY, waiting.state, restoring())
    assert lines_of(restored.state) == (line("A", 2), line("B"))
    bought = decide.clear(POLICY, waiting.state, clearing(ORDER_ID))
    assert lines_of(bought.state) == (line("A"), line("B"))
    assert bought.state is not None
    assert bought.state.arrived == ()


def test_what_does_not_fit_beside_a_frozen_cart_is_said_when_it_opens() -> None:
    waiting = decide.absorb(POLICY, frozen(line("A", 10)), absorbing(line("A"))).state
    restored = checkout.restore(POLICY, waiting, restoring())
    assert sent(restored) == [CART_UPDATED, CART_REJECTED]


def test_adds_complete_a_checkout_that_waits() -> None:
    waiting = checkout.request(POLICY, None, requesting(expected_lines=2, at=T0)).state
    one = decide.add(POLICY, waiting, adding(line("A"), name="1", at=T0 + 1))
    assert sent(one) == [CART_UPDATED]
    two = decide.add(POLICY, one.state, adding(line("B"), name="2", at=T0 + 2))
    assert sent(two) == [CART_UPDATED, CHECKOUT_STARTED]
    assert only(two, CART_UPDATED).data.status is CartStatus.FROZEN
    assert only(two, CHECKOUT_STARTED).data.lines == (line("A"), line("B"))


def test_a_command_says_which_command_was_refused() -> None:
    assert refusal(decide.add(POLICY, None, adding())).command == CART_ADD.name
