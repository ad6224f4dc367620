"""Checkout: from the cart that the shopper saw to a confirmed order, or the reason why there is none."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import msgspec

from api.auth.caller import Caller
from api.cart.models import Cart
from api.checkout.models import CheckoutRequest, DeliveryAddress
from api.checkout.payments import Tokeniser
from api.checkout.surprises import SURPRISES, surprise
from api.command_records import CommandRecord
from api.commands import Commands, Receipt
from api.order.models import UNFINISHED, Order, Progress
from api.order.queries import Orders
from api.order.snapshots import of_checkout
from api.problems import Problem
from schemas.checkout import Address, CheckoutRequested, Consent
from schemas.envelope import derived_id, fresh_id
from schemas.refusal import Fault, Refusal, fault_of
from topics.registry import CHECKOUT_REQUESTED

_NOT_BOUGHT = frozenset({Progress.CANCELLED, Progress.FAILED})
_MOST_ATTEMPTS = 20
"""Failed orders of one form that are looked at before it gets a key of its own."""


@dataclass(frozen=True)
class CheckoutResult:
    """A checkout that was sent, or was known already; `order` is None while its outcome is not known."""

    order_id: str
    order: Order | None
    receipt: Receipt | None = None


def order_id_of(caller: Caller, key: str) -> str:
    """Return the id of the order that this caller buys under this `Idempotency-Key`."""
    return derived_id("order", caller.owner or "", key)


def checkout_id_of(order_id: str) -> str:
    """Return the id of the one command that begins an order."""
    return derived_id("checkout", order_id)


class Checkout:
    """Buys carts."""

    def __init__(
        self,
        commands: Commands,
        orders: Orders,
        tokeniser: Tokeniser,
        currency: str,
        cart: Callable[[str | None], Awaitable[Cart]],
    ) -> None:
        self._commands = commands
        self._orders = orders
        self._tokeniser = tokeniser
        self._currency = currency
        self._cart = cart

    async def buy(
        self, caller: Caller, key: str, request: CheckoutRequest, wait: float | None = None
    ) -> CheckoutResult:
        """Buy the caller's cart as it was shown; the same `key` names the same order, however often sent.

        `wait` is in seconds. Raises Problems: 402 where the payment was refused, 409 where the order cannot
        be had (out of stock, empty cart, ...) or would have been another than was shown, with old and new,
        422 where the card is not accepted, 503 where a server behind does not answer.
        """
        cart_id = caller.cart_id
        if cart_id is None:
            raise Problem(409, "there is nothing in the cart", kind="refused", reason=Refusal.EMPTY_CART)
        order_id = order_id_of(caller, key)
        known = await self._known(caller, order_id)
        if known is not None:
            return CheckoutResult(order_id, await self._bought(cart_id, request, known))
        data = await self._request(order_id, request)
        receipt = await self._commands.send(
            CHECKOUT_REQUESTED,
            cart_id,
            data,
            outcome_key=order_id,
            owner=caller.owner or "",
            user_id=caller.user_id,
            command_id=checkout_id_of(order_id),
            wait=wait,
            remember=True,
            ended=lambda: self._ended(caller, order_id),
        )
        if receipt.heard is None:
            known = await self._known(caller, order_id) if wait is not None else None
        else:
            known = of_checkout(order_id, receipt.record, self._currency)
        order = known and await self._bought(cart_id, request, known)
        return CheckoutResult(order_id, order, receipt)

    async def attempt(self, caller: Caller, key: str) -> str:
        """Return the key of a new attempt: the given one, unless its order has ended without goods.

        A browser sends a form again, with the key it had: after a declined card, by "back" and another card.
        As long as the order may still come about the key names it, so that sending twice buys once.
        """
        for _ in range(_MOST_ATTEMPTS):
            order_id = order_id_of(caller, key)
            known = await self._known(caller, order_id)
            if known is None or known.status not in _NOT_BOUGHT:
                return key
            key = derived_id("attempt", order_id)
        return fresh_id()

    async def pending(self, caller: Caller, order_id: str) -> CommandRecord | None:
        """Return the checkout that this caller began for an order, where it is still remembered."""
        record = await self._commands.find(checkout_id_of(order_id))
        if record is None or caller.staff or record.owner == caller.owner:
            return record
        claimed = {f"cart:{cart_id}" for cart_id in await self._orders.claimed(caller)}
        return record if record.owner in claimed else None

    async def claimed(self, caller: Caller, order_id: str) -> bool:
        """Say whether an order that the caller may see was bought as a guest, and claimed later."""
        if not await self._orders.claimed(caller):
            return False
        if await self._orders.by_guest(order_id):
            return True
        record = await self._commands.find(checkout_id_of(order_id))
        return record is not None and record.owner.startswith("cart:")

    async def _ended(self, caller: Caller, order_id: str) -> bool:
        return await self._known(caller, order_id) is not None

    async def _known(self, caller: Caller, order_id: str) -> Order | None:
        order = await self._orders.order(caller, order_id)
        if order is None or order.status in UNFINISHED:
            # The views follow what was heard, and of an order that failed before it was placed have nothing.
            record = await self.pending(caller, order_id)
            order = of_checkout(order_id, record, self._currency) if record else order
        return None if order is None or order.status in UNFINISHED else order

    async def _request(self, order_id: str, request: CheckoutRequest) -> CheckoutRequested:
        token = request.payment_token
        if request.payment is not None:
            token = await self._tokeniser.token(request.payment, order_id)
        assert token is not None, "the request has a card or a token"
        return CheckoutRequested(
            order_id=order_id,
            currency=self._currency,
            payment_token=token,
            email=request.email,
            address=_address(request.address),
            expected_lines=request.expected_lines,
            consent=Consent(request.cart_version, request.total),
        )

    async def _bought(self, cart_id: str, request: CheckoutRequest, order: Order) -> Order:
        """Return the order where it was confirmed; raises a 402 or 409 Problem with the reason where not."""
        if order.status not in _NOT_BOUGHT:
            return order
        reason = order.reason or "cancelled"
        changed = surprise(request, order, await self._cart(cart_id)) if reason in SURPRISES else {}
        raise Problem(
            402 if fault_of(reason) is Fault.UNPAID else 409,
            order.detail or reason,
            kind="refused",
            reason=reason,
            order_id=order.order_id,
            sku=order.sku,
            **changed,
        )


def _address(given: DeliveryAddress) -> Address:
    return msgspec.convert(given.model_dump(), Address)
