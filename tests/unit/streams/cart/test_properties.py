"""Any commands in any order keep a cart sound."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas.cart import (
    CartAbsorb,
    CartAdd,
    CartChange,
    CartClear,
    CartLine,
    CartMerge,
    CartRemove,
    CartStatus,
)
from schemas.cart import CartRestore as Restore
from schemas.checkout import CheckoutRequested
from streams.cart.agent import FLOW
from streams.cart.expiry import due as due_at
from streams.cart.policy import CartPolicy
from tables.cart import Cart
from tests.unit.streams.said import T0, due, said
from topics.registry import (
    CART_ABSORB,
    CART_ADD,
    CART_CHANGE,
    CART_CLEAR,
    CART_DUE,
    CART_MERGE,
    CART_REJECTED,
    CART_REMOVE,
    CART_RESTORE,
    CART_UPDATED,
    CHECKOUT_FAILED,
    CHECKOUT_REQUESTED,
    CHECKOUT_STARTED,
)

CART_ID = "cart-1"
ROUTES = {route.topic.name: route for route in FLOW.routes}

skus = st.sampled_from("ABC")
quantities = st.integers(-1, 100_001)
cart_lines = st.builds(CartLine, skus, skus, quantities, st.none() | st.integers(-1, 3))
some_lines = st.lists(cart_lines, max_size=3).map(tuple)
orders = st.sampled_from(("order-1", "order-2", "order-3"))

inputs = st.one_of(
    st.tuples(st.just(CART_ADD), st.builds(CartAdd, some_lines)),
    st.tuples(st.just(CART_CHANGE), st.builds(CartChange, skus, quantities)),
    st.tuples(st.just(CART_REMOVE), st.builds(CartRemove, skus)),
    st.tuples(st.just(CART_CLEAR), st.builds(CartClear, st.none() | orders)),
    st.tuples(st.just(CART_MERGE), st.builds(CartMerge, st.sampled_from((CART_ID, "cart-2")))),
    st.tuples(st.just(CART_ABSORB), st.builds(CartAbsorb, st.just("cart-3"), some_lines)),
    st.tuples(st.just(CART_RESTORE), st.builds(Restore, orders, st.just("payment_failed"))),
    st.tuples(
        st.just(CHECKOUT_REQUESTED),
        st.builds(
            CheckoutRequested,
            orders,
            st.sampled_from(("GBP", "???")),
            st.just("tok_visa"),
            expected_lines=st.none() | st.integers(0, 3),
        ),
    ),
    st.just((CART_DUE, None)),
)


def sound(cart: Cart) -> bool:
    limits = CartPolicy()
    ids = [line.line_id for line in cart.lines]
    return (
        len(set(ids)) == len(ids) <= limits.max_lines
        and all(0 < line.quantity <= limits.max_quantity for line in cart.lines)
        and (cart.order_id is not None) == (cart.status is CartStatus.FROZEN)
        and not (cart.lines and cart.status in (CartStatus.EXPIRED, CartStatus.MERGED))
        and not (cart.pending is not None and cart.status is not CartStatus.OPEN)
    )


@given(st.lists(st.tuples(st.integers(0, 12), inputs, st.sampled_from((None, "ann", "bob"))), max_size=40))
def test_a_cart_stays_sound(steps: list[tuple[int, tuple[Any, Any], str | None]]) -> None:
    state: Cart | None = None
    version, now = 0, T0
    began: list[str] = []
    never_began: list[str] = []
    for name, (topic, data), user_id in steps:
        now += 1
        if topic is CART_DUE:
            at = None if state is None else due_at(CartPolicy(), state)
            now = max(now, at or 0)
            message: Any = due(CART_DUE, CART_ID, now)
        else:
            message = said(topic, CART_ID, data, name=str(name), at=now, user_id=user_id)
        route = ROUTES[topic.name]
        decision = route.handler(state, message)
        for out in decision.outputs:
            assert out.topic in route.emits
            if out.topic is CART_UPDATED:
                assert out.version > version
                version = out.version
            if out.topic is CART_REJECTED and topic is not CART_ABSORB and not _opens(topic):
                assert (state.lines if state else ()) == (decision.state.lines if decision.state else ())
            if out.topic is CHECKOUT_STARTED:
                began.append(out.key)
            if out.topic is CHECKOUT_FAILED:
                never_began.append(out.key)
        state = decision.state
        if state is None:
            # A cart that has left the table knows no order any more. `retention_ms` is longer than a client
            # may repeat a checkout: an order id that comes now is another order's.
            began.clear()
            never_began.clear()
        else:
            assert sound(state)
            again = route.handler(state, message)
            assert (again.state, again.outputs) == (state, ())
        if len(never_began) + len(began) <= CartPolicy().remembered_orders:
            assert not set(began) & set(never_began)


def _opens(topic: Any) -> bool:
    return topic in (CART_RESTORE, CART_CLEAR)
