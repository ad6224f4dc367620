"""What a product must be: each rule names the field and says what is wrong with it."""

from collections.abc import Iterator

from iso4217 import Currency

from schemas.product import ProductSnapshot
from schemas.refusal import Refusal
from schemas.sku import SKU_MAX_LENGTH, well_formed
from streams.breach import Breach
from streams.product.policy import ProductPolicy

_CURRENCIES = frozenset(currency.value for currency in Currency)


def first_breach(policy: ProductPolicy, sku: str, product: ProductSnapshot) -> Breach | None:
    """Return the first rule that the product, as it would be, breaks; None where it is sound."""
    return next(_breaches(policy, sku, product), None)


def _breaches(policy: ProductPolicy, sku: str, product: ProductSnapshot) -> Iterator[Breach]:
    if not well_formed(sku):
        yield Breach(
            Refusal.INVALID_SKU,
            "sku",
            f"a SKU is 1 to {SKU_MAX_LENGTH} letters, digits, spaces or ._-/ , not {sku!r}",
        )
    if not product.name.strip():
        yield Breach(Refusal.INVALID_NAME, "name", "a product needs a name")
    if len(product.name) > policy.max_name:
        yield Breach(
            Refusal.INVALID_NAME, "name", f"at most {policy.max_name} characters, not {len(product.name)}"
        )
    if len(product.description) > policy.max_description:
        yield Breach(
            Refusal.INVALID_DESCRIPTION, "description", f"at most {policy.max_description} characters"
        )
    if not 0 < product.price <= policy.max_price:
        yield Breach(
            Refusal.INVALID_PRICE,
            "price",
            f"a price is 1 to {policy.max_price} minor units, not {product.price}",
        )
    if product.currency not in _CURRENCIES:
        yield Breach(Refusal.INVALID_CURRENCY, "currency", f"{product.currency!r} is not an ISO 4217 code")
    if not 0 <= product.low_stock_threshold <= policy.max_threshold:
        yield Breach(
            Refusal.INVALID_THRESHOLD,
            "low_stock_threshold",
            f"a threshold is 0 to {policy.max_threshold} pieces, not {product.low_stock_threshold}",
        )
    yield from _category_breaches(policy, product.categories)


def _category_breaches(policy: ProductPolicy, categories: tuple[str, ...]) -> Iterator[Breach]:
    if len(categories) > policy.max_categories:
        yield Breach(
            Refusal.INVALID_CATEGORIES,
            "categories",
            f"at most {policy.max_categories} categories, not {len(categories)}",
        )
    if len(set(categories)) != len(categories):
        yield Breach(Refusal.INVALID_CATEGORIES, "categories", "a category is named twice")
    if any(not name.strip() or len(name) > policy.max_category_name for name in categories):
        yield Breach(
            Refusal.INVALID_CATEGORIES,
            "categories",
            f"a category's name has 1 to {policy.max_category_name} characters",
        )
