"""The rules of the catalogue that a shop may set for itself."""

import msgspec


class ProductPolicy(msgspec.Struct, frozen=True):
    """Limits of a product.

    `max_price` is in minor units; name and description are counted in characters, a category's name too.
    `remembered_commands` is how many answered commands a product recognises when they come again.
    """

    max_name: int = 200
    max_description: int = 10_000
    max_price: int = 100_000_000
    max_categories: int = 20
    max_category_name: int = 100
    max_threshold: int = 1_000_000
    remembered_commands: int = 32
