"""The cart agent: one record per cart id."""

from functools import partial

from streams.cart import checkout, decide, expiry, merging
from streams.cart.settings import CartSettings
from streams.kernel.flow import Flow, Route
from tables.cart import CART
from topics.registry import (
    CART_ABANDONED,
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

POLICY = CartSettings().policy()

_ANSWERS = (CART_UPDATED, CART_REJECTED)
# A change may complete the cart for a checkout that waits for it, or make it another than its buyer saw.
_EDITED = (*_ANSWERS, CHECKOUT_STARTED, CHECKOUT_FAILED)

FLOW = Flow(
    name="cart",
    table=CART,
    routes=(
        Route(CART_ADD, partial(decide.add, POLICY), (*_EDITED, CART_ABSORB)),
        Route(CART_CHANGE, partial(decide.change, POLICY), (*_EDITED, CART_ABSORB)),
        Route(CART_REMOVE, partial(decide.remove, POLICY), (*_EDITED, CART_ABSORB)),
        Route(CART_CLEAR, partial(decide.clear, POLICY), (*_EDITED, CART_ABSORB)),
        Route(CART_MERGE, partial(merging.merge, POLICY), (*_ANSWERS, CART_ABSORB)),
        Route(CART_ABSORB, partial(decide.absorb, POLICY), (*_EDITED, CART_ABSORB)),
        Route(
            CHECKOUT_REQUESTED,
            partial(checkout.request, POLICY),
            (CART_UPDATED, CHECKOUT_STARTED, CHECKOUT_FAILED),
        ),
        Route(CART_RESTORE, partial(checkout.restore, POLICY), (*_ANSWERS, CART_ABSORB)),
        Route(
            CART_DUE,
            partial(expiry.woken, POLICY),
            (CART_ABANDONED, CART_UPDATED, CHECKOUT_FAILED, CART_ABSORB),
        ),
    ),
    due=partial(expiry.due, POLICY),
    timer=CART_DUE,
    correlation=expiry.correlation,
)
