"""What a shopper's cart may grow to, and how many of them one client may begin.

A cart's whole state is written at each of its changes, here and in the dataflow: a line more is paid for by
every change that follows. The dataflow's own limit is higher, since a retailer's invoice may be long.
"""

from limits import parse
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter

from api import context
from api.admission.shares import Unlimited, exceeded
from api.cart.recent import RecentCarts
from api.problems import Problem
from api.settings import ApiSettings
from schemas.refusal import Refusal


class CartBounds:
    """Looks at a cart before more is put into it."""

    def __init__(self, carts: RecentCarts, limits: ApiSettings) -> None:
        self._carts = carts
        self._most = limits.cart_lines
        self._new = parse(limits.new_carts)
        self._begun = FixedWindowRateLimiter(MemoryStorage())
        self._unlimited = Unlimited(limits.unlimited_clients)

    async def full(self, cart_id: str) -> bool:
        """Tell whether a cart has as many lines as a shopper may give it, as far as that can be known."""
        try:
            known = await self._carts.lately(cart_id)
        except Problem:
            return False
        return known is not None and len(known.state.lines) >= self._most

    async def admit(self, cart_id: str, sku: str) -> None:
        """Return where a product may be put into a cart, or where the store of carts is away.

        Raises Problems: 409 where the cart has no room for another line, 429 where it would be a new cart
        and its client has begun too many.
        """
        try:
            known = await self._carts.lately(cart_id)
        except Problem:
            # Shopping goes on without that store, and the dataflow has a limit of its own.
            return
        if known is None:
            await self._begin()
        elif len(known.state.lines) >= self._most and all(line.sku != sku for line in known.state.lines):
            raise Problem(
                409,
                f"the cart has {len(known.state.lines)} different products, and takes no more",
                kind="refused",
                reason=Refusal.CART_FULL,
                sku=sku,
            )

    async def _begin(self) -> None:
        client = context.client.get()
        if client not in self._unlimited and not await self._begun.hit(self._new, client):
            raise exceeded("new_carts_of_a_client")
