"""Carts and their commands, as the tests of the cart say them."""

from typing import Any

from schemas.cart import CartAbsorb, CartAdd, CartClear, CartLine, CartMerge, CartRejected, CartRestore
from schemas.checkout import CheckoutFailed, CheckoutRequested
from schemas.envelope import Message
from streams.cart import checkout, decide
from streams.cart.policy import CartPolicy
from streams.kernel.flow import Decision
from tables.cart import Cart
from tests.unit.streams.said import T0, only, said, sent
from topics.registry import (
    CART_ABSORB,
    CART_ADD,
    CART_CLEAR,
    CART_MERGE,
    CART_REJECTED,
    CART_RESTORE,
    CHECKOUT_FAILED,
    CHECKOUT_REQUESTED,
)

POLICY = CartPolicy(max_lines=3, max_quantity=10)
CART_ID = "cart-1"
ORDER_ID = "order-1"


def line(sku: str = "A", quantity: int = 1, **more: Any) -> CartLine:
    return CartLine(more.pop("line_id", sku), sku, quantity, **more)


def adding(
    *lines: CartLine, name: str = "first", at: int = T0, user_id: str | None = None
) -> Message[CartAdd]:
    return said(CART_ADD, CART_ID, CartAdd(lines), name=name, at=at, user_id=user_id)


def merging(into: str = "cart-2", **more: Any) -> Message[CartMerge]:
    return said(CART_MERGE, CART_ID, CartMerge(into), **more)


def absorbing(*lines: CartLine, **more: Any) -> Message[CartAbsorb]:
    return said(CART_ABSORB, CART_ID, CartAbsorb("guest-1", lines), **more)


def requesting(
    order_id: str = ORDER_ID, *, at: int = T0, user_id: str | None = None, **wish: Any
) -> Message[Any]:
    data = CheckoutRequested(order_id, wish.pop("currency", "GBP"), "tok_visa", **wish)
    return said(CHECKOUT_REQUESTED, CART_ID, data, name=order_id, at=at, user_id=user_id)


def clearing(order_id: str | None = None, **more: Any) -> Message[CartClear]:
    return said(CART_CLEAR, CART_ID, CartClear(order_id), **more)


def restoring(order_id: str = ORDER_ID, **more: Any) -> Message[CartRestore]:
    return said(CART_RESTORE, CART_ID, CartRestore(order_id, "payment_failed"), **more)


def filled(*lines: CartLine, user_id: str | None = None) -> Cart:
    state = decide.add(POLICY, None, adding(*(lines or (line(),)), user_id=user_id)).state
    assert state is not None
    return state


def frozen(*lines: CartLine, user_id: str | None = None) -> Cart:
    state = checkout.request(POLICY, filled(*lines, user_id=user_id), requesting(user_id=user_id)).state
    assert state is not None
    return state


def refusal(decision: Decision[Cart]) -> CartRejected:
    assert sent(decision) == [CART_REJECTED]
    return only(decision, CART_REJECTED).data


def failure(decision: Decision[Cart]) -> CheckoutFailed:
    assert sent(decision) == [CHECKOUT_FAILED]
    return only(decision, CHECKOUT_FAILED).data
