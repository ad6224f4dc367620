"""Carts as they stand: the sinks' view in Redis, with names, prices and availability from the catalogue."""

from typing import Protocol

import msgspec
from prometheus_client import Counter
from redis.exceptions import RedisError

from api.cart.models import Cart, CartItem
from api.problems import unavailable
from api.product.models import Product
from api.product.queries import Catalogue
from api.redis_line import Strings
from schemas.cart import CartLine, CartStatus, CartUpdated
from sinks.cart.projectors import CartView as StoredCart
from sinks.cart.projectors import cart_key

LOOKUPS = Counter(
    "api_cart_view_total", "Carts looked up in the view: hit, miss, or off (no Redis).", ["result"]
)


class CartState(msgspec.Struct, frozen=True):
    """A cart's public state at a version of it."""

    state: CartUpdated
    version: int


class CartStore(Protocol):
    """Reads the carts' view."""

    async def read(self, cart_id: str) -> CartState | None:
        """Return the cart, None where nothing was ever put into it."""
        ...


class RedisCarts:
    """The carts' view in Redis."""

    def __init__(self, redis: Strings) -> None:
        self._redis = redis

    async def read(self, cart_id: str) -> CartState | None:
        """Return the cart, None where nothing was ever put into it."""
        try:
            found = await self._redis.get(cart_key(cart_id))
        except RedisError as error:
            LOOKUPS.labels("off").inc()
            raise unavailable("the store of carts") from error
        LOOKUPS.labels("miss" if found is None else "hit").inc()
        if found is None:
            return None
        kept = msgspec.json.decode(found, type=StoredCart)
        state = CartUpdated(kept.status, kept.lines, kept.user_id, kept.order_id, kept.updated_at)
        return CartState(state, kept.version)


def _replaced(line: CartLine, product: Product | None) -> bool:
    if product is None or line.incarnation is None or product.created_at is None:
        return False
    return line.incarnation != product.created_at


class CartView:
    """Reads carts the way that shoppers see them."""

    def __init__(self, store: CartStore, catalogue: Catalogue, currency: str) -> None:
        self._store = store
        self._catalogue = catalogue
        self._currency = currency

    async def read(self, cart_id: str | None) -> Cart:
        """Return the cart; an empty one where there is none yet."""
        found = await self._store.read(cart_id) if cart_id is not None else None
        return await self.show(cart_id, found)

    async def show(self, cart_id: str | None, found: CartState | None) -> Cart:
        """Return a known state with today's names, prices and availability."""
        state = found.state if found else CartUpdated(CartStatus.OPEN, (), None, None, 0)
        products = await self._catalogue.products(line.sku for line in state.lines)
        items = []
        for line in state.lines:
            product = products.get(line.sku)
            price = line.agreed_price if line.agreed_price is not None else product.price if product else None
            items.append(
                CartItem(
                    line_id=line.line_id,
                    sku=line.sku,
                    quantity=line.quantity,
                    name=product.name if product else None,
                    unit_price=price,
                    line_total=None if price is None else price * line.quantity,
                    available=product.available if product else 0,
                    on_sale=product.active if product else False,
                    replaced=_replaced(line, product),
                )
            )
        goods = sum(item.line_total or 0 for item in items)
        return Cart(
            cart_id=cart_id,
            status=state.status,
            items=items,
            pieces=sum(item.quantity for item in items),
            subtotal=goods,
            total=goods,
            currency=self._currency,
            order_id=state.order_id,
            version=found.version if found else 0,
            updated_at=state.updated_at if found else None,
        )
