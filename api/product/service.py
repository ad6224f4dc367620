"""Staff's changes to the catalogue, as commands keyed by SKU."""

from api.auth.caller import Caller
from api.commands import Commands, Receipt
from api.product.models import NewProduct, ProductChange
from schemas.product import ProductCreate, ProductDelete, ProductUpdate
from topics.registry import PRODUCT_CREATE, PRODUCT_DELETE, PRODUCT_UPDATE


class ProductCommands:
    """Puts products on sale, changes them, takes them off.

    `command_id` makes a repetition recognisable; `wait` is in seconds.
    """

    def __init__(self, commands: Commands, currency: str) -> None:
        self._commands = commands
        self._currency = currency

    async def create(
        self, caller: Caller, product: NewProduct, *, command_id: str | None = None, wait: float | None = None
    ) -> Receipt:
        """Put a product on sale, priced in the shop's currency."""
        data = ProductCreate(
            name=product.name,
            price=product.price,
            currency=self._currency,
            description=product.description,
            categories=tuple(product.categories),
            low_stock_threshold=product.low_stock_threshold,
        )
        return await self._commands.send(
            PRODUCT_CREATE,
            product.sku,
            data,
            owner=caller.owner or "",
            user_id=caller.user_id,
            command_id=command_id,
            wait=wait,
        )

    async def change(
        self,
        caller: Caller,
        sku: str,
        change: ProductChange,
        *,
        command_id: str | None = None,
        wait: float | None = None,
    ) -> Receipt:
        """Change the given fields of a product."""
        data = ProductUpdate(
            name=change.name,
            description=change.description,
            categories=None if change.categories is None else tuple(change.categories),
            price=change.price,
            low_stock_threshold=change.low_stock_threshold,
        )
        return await self._commands.send(
            PRODUCT_UPDATE,
            sku,
            data,
            owner=caller.owner or "",
            user_id=caller.user_id,
            command_id=command_id,
            wait=wait,
        )

    async def delete(
        self, caller: Caller, sku: str, *, command_id: str | None = None, wait: float | None = None
    ) -> Receipt:
        """Take a product off sale."""
        return await self._commands.send(
            PRODUCT_DELETE,
            sku,
            ProductDelete(),
            owner=caller.owner or "",
            user_id=caller.user_id,
            command_id=command_id,
            wait=wait,
        )
