"""Carts as the dataflow last told them: whoever put something into a cart finds it there at once.

The view follows the dataflow by milliseconds on a quiet machine and by seconds on a full one. Every instance
of the API hears every `cart.updated` anyway; the newest are kept as they came and decoded where asked for.
"""

from api.cart.view import CartState, CartStore
from schemas.cart import CartUpdated
from schemas.codec import UndecodableError
from schemas.envelope import Message
from topics.registry import CART_UPDATED
from topics.wire import decode

# At some 600 bytes a cart, 6 MB; enough for the view to be 10 s behind at 1,000 changes a second.
KEPT = 10_000
KEPT_BYTES = 32 * 1024 * 1024
"""Where carts are larger than that, fewer are kept."""


class RecentCarts:
    """The carts' view, and what was heard since it was last written."""

    def __init__(self, view: CartStore, kept: int = KEPT, kept_bytes: int = KEPT_BYTES) -> None:
        self._view = view
        self._kept = kept
        self._kept_bytes = kept_bytes
        self._bytes = 0
        self._heard: dict[bytes, bytes] = {}

    def hear(self, key: bytes, value: bytes) -> None:
        """Take a record of `cart.updated`; the oldest is forgotten where there are too many."""
        self._bytes += len(value) - len(self._heard.pop(key, b""))
        self._heard[key] = value
        while len(self._heard) > self._kept or self._bytes > self._kept_bytes:
            self._bytes -= len(self._heard.pop(next(iter(self._heard))))

    async def lately(self, cart_id: str) -> CartState | None:
        """Return the state that was heard last, or the view's where none was; the newest may be missed."""
        return self._decoded(cart_id) or await self._view.read(cart_id)

    async def read(self, cart_id: str) -> CartState | None:
        """Return the newest state known of the cart, None where nothing was ever put into it."""
        seen = await self._view.read(cart_id)
        heard = self._decoded(cart_id)
        if heard is None or (seen is not None and seen.version >= heard.version):
            return seen
        return heard

    def _decoded(self, cart_id: str) -> CartState | None:
        heard = self._heard.get(cart_id.encode())
        if heard is None:
            return None
        try:
            message: Message[CartUpdated] = decode(CART_UPDATED, heard)
        except UndecodableError:
            # Of an event that this release cannot read, the view's own state is what there is to show.
            return None
        return CartState(message.data, message.aggregate_version)
