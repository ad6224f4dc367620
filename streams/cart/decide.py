"""What becomes of a cart: pure decisions of one cart's record and one command.

The first command on an unknown cart creates it. Every command is answered once, by a change or by a refusal,
and recognised when it comes again.
"""

from collections.abc import Callable

import msgspec

from schemas.cart import CartAbsorb, CartAdd, CartChange, CartClear, CartRemove, CartStatus
from schemas.envelope import Message
from streams.breach import Breach
from streams.cart import lines
from streams.cart.changes import answered, changed, foreign, locked, noted, refused, reopened
from streams.cart.checkout import bought, not_taken, settled
from streams.cart.lines import Lines
from streams.cart.policy import CartPolicy
from streams.kernel.flow import Decision, Out
from tables.cart import Cart
from topics.registry import CART_ABSORB


def add(policy: CartPolicy, state: Cart | None, message: Message[CartAdd]) -> Decision[Cart]:
    """Add lines, all or none.

    Adds and merges travel on different topics: lines that were added before their guest cart was merged, but
    come after it, follow the others into the cart that took them.
    """
    more = message.data.lines
    if state is None or state.merged is None or message.occurred_at >= state.merged.at:
        return _edited(policy, state, message, lambda present: lines.added(policy, present, more))
    if answered(state, message):
        return Decision(state)
    into, user_id = state.merged.into_cart_id, state.merged.user_id
    follow = Out(CART_ABSORB, into, CartAbsorb(message.aggregate_id, more), user_id=user_id)
    return Decision(noted(policy, state, message), (follow,))


def change(policy: CartPolicy, state: Cart | None, message: Message[CartChange]) -> Decision[Cart]:
    """Set a line's quantity."""
    line_id, quantity = message.data.line_id, message.data.quantity
    return _edited(policy, state, message, lambda present: lines.changed(policy, present, line_id, quantity))


def remove(policy: CartPolicy, state: Cart | None, message: Message[CartRemove]) -> Decision[Cart]:
    """Remove a line."""
    line_id = message.data.line_id
    return _edited(policy, state, message, lambda present: lines.removed(present, line_id))


def clear(policy: CartPolicy, state: Cart | None, message: Message[CartClear]) -> Decision[Cart]:
    """Empty the cart: for its shopper, or for the order that was confirmed."""
    if message.data.order_id is not None:
        return bought(policy, state, message)
    return _edited(policy, state, message, lambda _present: ())


def _edited(
    policy: CartPolicy,
    state: Cart | None,
    message: Message[msgspec.Struct],
    edit: Callable[[Lines], Lines | Breach],
) -> Decision[Cart]:
    if answered(state, message):
        return Decision(state)
    base = noted(policy, state, message)
    cart = reopened(base)
    result = locked(cart, message) or edit(cart.lines)
    if isinstance(result, Breach):
        return refused(base, message, result)
    after = changed(cart, message, lines=result, user_id=cart.user_id or message.user_id)
    return settled(policy, after, message)


def absorb(policy: CartPolicy, state: Cart | None, message: Message[CartAbsorb]) -> Decision[Cart]:
    """Take a guest's lines over, as far as they fit; a frozen cart keeps them until it opens."""
    if answered(state, message):
        return Decision(state)
    base = noted(policy, state, message)
    cart = reopened(base)
    cart_id, more = message.aggregate_id, message.data.lines
    breach = foreign(cart, message)
    if breach is not None:
        return refused(base, message, breach)
    if cart.status is CartStatus.FROZEN:
        arrived, breaches = lines.absorbed(policy, cart.arrived, more)
        kept = msgspec.structs.replace(cart, arrived=arrived)
        return Decision(kept, not_taken(kept, cart_id, breaches))
    joined, breaches = lines.absorbed(policy, cart.lines, more)
    after = changed(cart, message, lines=joined, user_id=cart.user_id or message.user_id)
    decision = settled(policy, after, message)
    return Decision(decision.state, (*decision.outputs, *not_taken(after, cart_id, breaches)))
