"""A guest's cart at login: its lines move into the user's cart, at once or when it is free again."""

from typing import Any

from msgspec.structs import replace

from schemas.cart import CartAbsorb, CartMerge, CartStatus
from schemas.envelope import Message
from schemas.refusal import Refusal
from streams.breach import Breach
from streams.cart.changes import answered, changed, foreign, noted, refused, reopened, updated
from streams.cart.policy import CartPolicy
from streams.kernel.flow import Decision, Out
from tables.cart import Cart, Merged
from topics.registry import CART_ABSORB


def merge(policy: CartPolicy, state: Cart | None, message: Message[CartMerge]) -> Decision[Cart]:
    """Move a guest's lines into another cart; this one is closed.

    A cart that is being bought, or waits to be, is moved when that has ended: what its order leaves in it
    must not stay where its guest, who is a user now, looks no more.
    """
    if answered(state, message):
        return Decision(state)
    cart_id, into = message.aggregate_id, message.data.into_cart_id
    base = noted(policy, state, message)
    cart = reopened(base)
    breach = foreign(cart, message) or _unmergeable(cart, cart_id, into)
    if breach is not None:
        return refused(base, message, breach)
    asked = changed(cart, message, merging=Merged(into, message.occurred_at, message.user_id))
    if _busy(asked):
        return Decision(asked, (updated(cart_id, asked),))
    return freed(asked, (), message)


def _unmergeable(cart: Cart, cart_id: str, into: str) -> Breach | None:
    if into == cart_id:
        return Breach(Refusal.SAME_CART, "into_cart_id", "a cart cannot be merged into itself")
    if cart.merging is not None and cart.merging.into_cart_id != into:
        return Breach(
            Refusal.MERGE_PENDING, "into_cart_id", "the cart goes to another user as soon as it is free"
        )
    return None


def freed(cart: Cart, outputs: tuple[Out[Any], ...], message: Message[Any]) -> Decision[Cart]:
    """Return the cart and its outputs; where it is free and a merge waits, that is done with it."""
    wish = cart.merging
    if wish is None or _busy(cart):
        return Decision(cart, outputs)
    cart_id, lines = message.aggregate_id, cart.lines
    closed = replace(cart, merging=None)
    after = changed(closed, message, status=CartStatus.MERGED, lines=(), merged=wish)
    take = Out(CART_ABSORB, wish.into_cart_id, CartAbsorb(cart_id, lines), user_id=wish.user_id)
    return Decision(after, (*outputs, updated(cart_id, after), *((take,) if lines else ())))


def _busy(cart: Cart) -> bool:
    return cart.status is CartStatus.FROZEN or cart.pending is not None
