"""How a cart is bought: held until it is complete, frozen for one order, and opened by that order's end."""

from collections.abc import Iterator
from typing import Any

import msgspec
from iso4217 import Currency

from schemas.cart import CartClear, CartRestore, CartStatus
from schemas.checkout import CheckoutFailed, CheckoutRequested, CheckoutStarted
from schemas.envelope import Message
from schemas.refusal import Refusal
from streams.breach import Breach
from streams.cart.changes import answered, changed, locked, noted, rejection, reopened, updated
from streams.cart.lines import Lines, absorbed
from streams.cart.merging import freed
from streams.cart.policy import CartPolicy
from streams.checkout import BEGIN, END
from streams.kernel.flow import Decision, Out
from tables.applied import remembered
from tables.cart import Cart, PendingCheckout
from topics.registry import CART_ABSORB, CHECKOUT_FAILED, CHECKOUT_STARTED

_CURRENCIES = frozenset(currency.value for currency in Currency)


def request(policy: CartPolicy, state: Cart | None, message: Message[CheckoutRequested]) -> Decision[Cart]:
    """Freeze the cart for an order, hold the request until the cart is complete, or refuse it.

    An order id that the cart knows already, in whatever state, changes nothing.
    """
    order_id = message.data.order_id
    if answered(state, message) or (state is not None and _knows(state, order_id)):
        return Decision(state)
    base = noted(policy, state, message)
    cart = reopened(base)
    breach = locked(cart, message) or next(_breaches(cart, message.data), None)
    if breach is not None:
        return failed(policy, base, message, order_id, breach)
    pending = PendingCheckout(
        request=message.data,
        user_id=message.user_id,
        requested_at=message.occurred_at,
        deadline_at=message.occurred_at + policy.checkout_ms,
        correlation_id=message.correlation_id,
    )
    if _complete(cart, pending):
        return _frozen(policy, cart, pending, message)
    return Decision(msgspec.structs.replace(cart, pending=pending))


def _knows(cart: Cart, order_id: str) -> bool:
    waiting = None if cart.pending is None else cart.pending.request.order_id
    return order_id in (cart.order_id, waiting, *cart.finished)


def _breaches(cart: Cart, data: CheckoutRequested) -> Iterator[Breach]:
    if cart.pending is not None:
        waiting = cart.pending.request.order_id
        yield Breach(Refusal.CHECKOUT_PENDING, "order_id", f"the cart waits to be bought as order {waiting}")
    if data.currency not in _CURRENCIES:
        yield Breach(Refusal.INVALID_CURRENCY, "currency", f"{data.currency!r} is not an ISO 4217 code")
    if any(charge.quantity <= 0 for charge in data.charges):
        yield Breach(Refusal.INVALID_CHARGE, "charges.quantity", "a charge is made at least once")
    if not (cart.lines or data.charges or data.expected_lines):
        yield Breach(Refusal.EMPTY_CART, "lines", "there is nothing to buy")
    yield from _surprises(cart, data)


def _surprises(cart: Cart, data: CheckoutRequested) -> Iterator[Breach]:
    """Yield in what the cart differs from the one that its buyer was shown.

    Whoever waits for lines under way cannot know the version that they will make: that buyer agrees to so
    many lines, and to what they come to.
    """
    if data.consent is None:
        return
    shown, present = data.consent.cart_version, len(cart.lines)
    if data.expected_lines is not None:
        if present > data.expected_lines:
            detail = f"the cart has {present} lines, not the {data.expected_lines} that were shown"
            yield Breach(Refusal.CART_CHANGED, "expected_lines", detail)
    elif shown != cart.version and not 0 < cart.lines_version <= shown < cart.version:
        detail = f"the cart is at version {cart.version}, and was another at version {shown}"
        yield Breach(Refusal.CART_CHANGED, "cart_version", detail)


def _complete(cart: Cart, pending: PendingCheckout) -> bool:
    return len(cart.lines) >= (pending.request.expected_lines or 0)


def settled(policy: CartPolicy, cart: Cart, message: Message[msgspec.Struct]) -> Decision[Cart]:
    """Say what a changed cart is now; where it completes a request that waits, begin that checkout."""
    pending = cart.pending
    if pending is None or not _complete(cart, pending):
        return Decision(cart, (updated(message.aggregate_id, cart),))
    surprise = next(_surprises(cart, pending.request), None)
    if surprise is None:
        return _frozen(policy, cart, pending, message)
    free = msgspec.structs.replace(cart, pending=None)
    ended = failed(policy, free, message, pending.request.order_id, surprise)
    assert ended.state is not None, "a failed checkout leaves its cart"
    return freed(ended.state, (updated(message.aggregate_id, free), *ended.outputs), message)


def _frozen(
    policy: CartPolicy, cart: Cart, pending: PendingCheckout, message: Message[msgspec.Struct]
) -> Decision[Cart]:
    cart_id, wanted = message.aggregate_id, pending.request
    user_id = cart.user_id or pending.user_id
    after = changed(
        cart, message, status=CartStatus.FROZEN, order_id=wanted.order_id, user_id=user_id, pending=None
    )
    started = CheckoutStarted(
        cart_id=cart_id,
        user_id=user_id,
        currency=wanted.currency,
        lines=cart.lines,
        charges=wanted.charges,
        payment_token=wanted.payment_token,
        email=wanted.email,
        address=wanted.address,
        placed_at=pending.requested_at if wanted.placed_at is None else wanted.placed_at,
        deadline_at=max(pending.requested_at, message.occurred_at) + policy.checkout_ms,
        consented=None if wanted.consent is None else wanted.consent.total,
    )
    begin = Out(CHECKOUT_STARTED, wanted.order_id, started, BEGIN, user_id)
    return Decision(after, (updated(cart_id, after), begin))


def failed(
    policy: CartPolicy,
    cart: Cart,
    message: Message[msgspec.Struct],
    order_id: str,
    breach: Breach,
) -> Decision[Cart]:
    """End a checkout that never began; the cart stays as given."""
    finished = remembered(cart.finished, order_id, policy.remembered_orders)
    after = msgspec.structs.replace(cart, finished=finished)
    data = CheckoutFailed(message.aggregate_id, breach.reason, breach.detail)
    return Decision(after, (Out(CHECKOUT_FAILED, order_id, data, END, cart.user_id),))


def restore(policy: CartPolicy, state: Cart | None, message: Message[CartRestore]) -> Decision[Cart]:
    """Open the cart as it was, because the order that froze it was cancelled."""
    if state is None or not _frozen_for(state, message.data.order_id):
        return Decision(state)
    return _opened(policy, state, message, state.lines)


def bought(policy: CartPolicy, state: Cart | None, message: Message[CartClear]) -> Decision[Cart]:
    """Open the cart empty, because the order that froze it was confirmed."""
    if state is None or not _frozen_for(state, message.data.order_id):
        return Decision(state)
    return _opened(policy, state, message, ())


def _frozen_for(cart: Cart, order_id: str | None) -> bool:
    return cart.status is CartStatus.FROZEN and cart.order_id == order_id


def _opened(policy: CartPolicy, cart: Cart, message: Message[msgspec.Struct], lines: Lines) -> Decision[Cart]:
    """Open a frozen cart; a guest's lines that came meanwhile join it."""
    assert cart.order_id is not None, "a frozen cart names its order"
    joined, breaches = absorbed(policy, lines, cart.arrived)
    after = changed(
        cart,
        message,
        status=CartStatus.OPEN,
        lines=joined,
        order_id=None,
        arrived=(),
        finished=remembered(cart.finished, cart.order_id, policy.remembered_orders),
    )
    cart_id = message.aggregate_id
    return freed(after, (updated(cart_id, after), *not_taken(after, cart_id, breaches)), message)


def not_taken(cart: Cart, cart_id: str, breaches: tuple[Breach, ...]) -> tuple[Out[Any], ...]:
    """Say which of a guest's lines did not fit, if any."""
    if not breaches:
        return ()
    first = breaches[0]
    detail = f"{len(breaches)} lines were not taken over whole; the first: {first.detail}"
    return (rejection(cart, cart_id, CART_ABSORB.name, Breach(first.reason, first.field, detail)),)
