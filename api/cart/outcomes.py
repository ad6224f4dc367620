"""What ends a command to a cart."""

from api.expectation import Outcomes, answered
from topics.cart import (
    CART_ADD,
    CART_CHANGE,
    CART_CLEAR,
    CART_MERGE,
    CART_REJECTED,
    CART_REMOVE,
    CART_UPDATED,
)

_CART = answered((CART_UPDATED,), CART_REJECTED)

OUTCOMES: Outcomes = dict.fromkeys((CART_ADD, CART_CHANGE, CART_REMOVE, CART_CLEAR, CART_MERGE), _CART)
