"""One change of a cart: how it begins, opens again, remembers, and says what it is now.

A cart's version starts at the time of its birth (ms) and grows by one per change. A cart that left the table
and is born again therefore goes on above its former versions, and views keep the newer cart.
"""

from typing import Any

import msgspec

from schemas.cart import CartRejected, CartStatus, CartUpdated
from schemas.envelope import Message
from schemas.refusal import Refusal
from streams.breach import Breach
from streams.cart.policy import CartPolicy
from streams.kernel.flow import Decision, Out
from tables.applied import remembered
from tables.cart import Cart
from topics.registry import CART_REJECTED, CART_UPDATED

CLOSED = (CartStatus.EXPIRED, CartStatus.MERGED)


def answered(state: Cart | None, message: Message[msgspec.Struct]) -> bool:
    """Say whether the cart has answered this very command already."""
    return state is not None and message.event_id in state.applied


def noted(policy: CartPolicy, state: Cart | None, message: Message[msgspec.Struct]) -> Cart:
    """Return the cart with the command remembered as answered; an unknown cart is born by it."""
    cart = Cart(version=message.occurred_at, updated_at=message.occurred_at) if state is None else state
    applied = remembered(cart.applied, message.event_id, policy.remembered_commands)
    return msgspec.structs.replace(cart, applied=applied)


def reopened(cart: Cart) -> Cart:
    """Return the cart as commands meet it: an expired or merged one begins anew, empty and nobody's."""
    if cart.status not in CLOSED:
        return cart
    return Cart(
        version=cart.version, updated_at=cart.updated_at, finished=cart.finished, applied=cart.applied
    )


def foreign(cart: Cart, message: Message[msgspec.Struct]) -> Breach | None:
    """Return the breach of a sender who is not the cart's owner; None where it has no owner yet."""
    if cart.user_id in (None, message.user_id):
        return None
    return Breach(Refusal.FORBIDDEN, "user_id", "the cart belongs to another user")


def locked(cart: Cart, message: Message[msgspec.Struct]) -> Breach | None:
    """Return why the sender may not change the cart now, or None."""
    if cart.status is CartStatus.FROZEN:
        frozen = Breach(Refusal.CART_FROZEN, "cart_id", f"the cart is being bought as order {cart.order_id}")
        return foreign(cart, message) or frozen
    return foreign(cart, message)


def changed(cart: Cart, message: Message[msgspec.Struct], **given: Any) -> Cart:
    """Return the cart's next version with the given fields."""
    version = cart.version + 1
    if given.get("lines", cart.lines) != cart.lines:
        given["lines_version"] = version
    return msgspec.structs.replace(
        cart, version=version, updated_at=max(cart.updated_at, message.occurred_at), **given
    )


def updated(cart_id: str, cart: Cart) -> Out[CartUpdated]:
    """Return the event that states what the cart is now."""
    data = CartUpdated(cart.status, cart.lines, cart.user_id, cart.order_id, cart.updated_at)
    return Out(CART_UPDATED, cart_id, data, cart.version, cart.user_id)


def refused(cart: Cart, message: Message[msgspec.Struct], breach: Breach) -> Decision[Cart]:
    """Refuse a command; the cart stays as given."""
    return Decision(cart, (rejection(cart, message.aggregate_id, message.event_type, breach),))


def rejection(cart: Cart, cart_id: str, command: str, breach: Breach) -> Out[CartRejected]:
    """Return the event that says which rule a command broke."""
    data = CartRejected(command, breach.reason, breach.field, breach.detail)
    return Out(CART_REJECTED, cart_id, data, cart.version)
