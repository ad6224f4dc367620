"""A shopper's commands to a cart. Agreed prices are not theirs to set, so no method takes one."""

from dataclasses import dataclass
from typing import Any

import msgspec

from api.auth.caller import cart_of_user
from api.cart.bounds import CartBounds
from api.cart.models import Cart
from api.cart.view import CartState, CartView
from api.commands import Commands, Receipt
from api.problems import invalid
from api.product.queries import Catalogue
from api.rejections import refusal
from schemas.cart import CartAdd, CartChange, CartClear, CartLine, CartMerge, CartRemove, CartUpdated
from topics.registry import CART_ADD, CART_CHANGE, CART_CLEAR, CART_MERGE, CART_REMOVE
from topics.topic import Topic


@dataclass(frozen=True)
class CartResult:
    """A command that was sent; `cart` is what it led to, None where that is not known yet."""

    receipt: Receipt
    cart: Cart | None


class CartService:
    """Carts by id. Every command takes `wait` (seconds) and a `command_id` that marks repetitions.

    Commands raise Problems: 404, 409 or 422 with reason and field where the cart refuses (known only when
    waited for), and 503 where the broker does not answer.
    """

    def __init__(self, commands: Commands, view: CartView, catalogue: Catalogue, bounds: CartBounds) -> None:
        self._bounds = bounds
        self._commands = commands
        self._view = view
        self._catalogue = catalogue

    async def read(self, cart_id: str | None) -> Cart:
        """Return the cart as it stands in the view."""
        return await self._view.read(cart_id)

    async def add(
        self,
        cart_id: str,
        user_id: str | None,
        sku: str,
        quantity: int,
        *,
        command_id: str | None = None,
        wait: float | None = None,
    ) -> CartResult:
        """Put pieces of a product into the cart.

        Raises Problems: 422 where the SKU is not on sale, 409 where the cart is full, 429 where it would be a
        new one and its client has begun too many.
        """
        product = await self._catalogue.product(sku)
        if product is None:
            raise invalid("sku", "unknown_sku", f"{sku} is not a product of this shop")
        if not product.active:
            raise invalid("sku", "discontinued", f"{sku} is not on sale any more")
        await self._bounds.admit(cart_id, sku)
        data = CartAdd((CartLine(sku, sku, quantity, incarnation=product.created_at),))
        return await self._send(CART_ADD, cart_id, user_id, data, command_id, wait)

    async def change(
        self,
        cart_id: str,
        user_id: str | None,
        line_id: str,
        quantity: int,
        *,
        command_id: str | None = None,
        wait: float | None = None,
    ) -> CartResult:
        """Set a line's quantity."""
        data = CartChange(line_id, quantity)
        return await self._send(CART_CHANGE, cart_id, user_id, data, command_id, wait)

    async def remove(
        self,
        cart_id: str,
        user_id: str | None,
        line_id: str,
        *,
        command_id: str | None = None,
        wait: float | None = None,
    ) -> CartResult:
        """Take a line out."""
        return await self._send(CART_REMOVE, cart_id, user_id, CartRemove(line_id), command_id, wait)

    async def clear(
        self, cart_id: str, user_id: str | None, *, command_id: str | None = None, wait: float | None = None
    ) -> CartResult:
        """Empty the cart."""
        return await self._send(CART_CLEAR, cart_id, user_id, CartClear(), command_id, wait)

    async def merge(self, guest_cart: str, user_id: str, wait: float | None = None) -> str | None:
        """Move a guest's lines into the user's cart; return the id of the command.

        A user's cart that is full takes no more, and there is no command: each log-in would add to it.
        """
        if await self._bounds.full(cart_of_user(user_id)):
            return None
        receipt = await self._commands.send(
            CART_MERGE,
            guest_cart,
            CartMerge(cart_of_user(user_id)),
            owner=f"user:{user_id}",
            user_id=user_id,
            wait=wait,
            remember=True,
        )
        return receipt.command.event_id

    async def _send(
        self,
        topic: Topic[Any],
        cart_id: str,
        user_id: str | None,
        data: msgspec.Struct,
        command_id: str | None,
        wait: float | None,
    ) -> CartResult:
        receipt = await self._commands.send(
            topic,
            cart_id,
            data,
            owner=f"user:{user_id}" if user_id else f"cart:{cart_id}",
            user_id=user_id,
            command_id=command_id,
            wait=wait,
        )
        if receipt.heard is None:
            return CartResult(receipt, None)
        if receipt.refused:
            raise refusal(receipt)
        state = receipt.heard.message.data
        assert isinstance(state, CartUpdated)
        version = receipt.heard.message.aggregate_version
        return CartResult(receipt, await self._view.show(cart_id, CartState(state, version)))
