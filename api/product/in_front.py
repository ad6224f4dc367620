"""A catalogue in front of another: products are its own matter, lists and categories the other's."""

from api.product.models import ProductPage, ProductSort
from api.product.queries import Catalogue, ProductFilter


class InFront:
    """Hands lists and categories on to the catalogue behind."""

    def __init__(self, lists: Catalogue) -> None:
        self._lists = lists

    async def page(
        self, chosen: ProductFilter, sort: ProductSort, limit: int, cursor: str | None
    ) -> ProductPage:
        """Return a page of products on sale; raises a 422 Problem for a foreign cursor."""
        return await self._lists.page(chosen, sort, limit, cursor)

    async def categories(self) -> list[tuple[str, int]]:
        """Return the categories with how many products on sale each has, by name."""
        return await self._lists.categories()
