"""Translates a catalogue into the commands that put products on sale and goods into the house."""

from collections.abc import Iterable, Iterator, Mapping

from connectors.retail.catalogue import Product
from connectors.retail.identity import receipt_id
from deploy.demo.translate import SOURCE, Outgoing
from schemas.envelope import derived_id
from schemas.inventory import InventoryReceive
from schemas.product import ProductCreate, ProductUpdate
from topics.command import command
from topics.registry import INVENTORY_RECEIVE, PRODUCT_CREATE, PRODUCT_UPDATE

# What a product view shows of a product: name, description, category, price (minor units).
Shown = tuple[str, str, str, int]


def shown(product: Product) -> Shown:
    """Return what a view should show of a product."""
    return product.name, product.description, product.category, product.price


def product_commands(
    products: Iterable[Product], on_sale: Mapping[str, Shown], currency: str
) -> Iterator[Outgoing]:
    """Return a create for every product that is not on sale yet, and an update for each that has changed."""
    for product in products:
        if product.sku not in on_sale:
            yield _create(product, currency)
        elif on_sale[product.sku] != shown(product):
            yield _update(product)


def receipts(products: Iterable[Product], month: str) -> Iterator[Outgoing]:
    """Return the goods receipts that cover a whole month's need (YYYY-MM) of every SKU.

    The ids depend on SKU and month alone, and each is applied once: a rerun brings in nothing twice, and a
    window or limit does not change what a month gets.
    """
    for product in products:
        need = product.needs.get(month, 0)
        if need:
            receipt = receipt_id(product.sku, month)
            first = month == min(product.needs)
            data = InventoryReceive(
                receipt_id=receipt, quantity=need, reason="opening" if first else "purchase"
            )
            message = command(INVENTORY_RECEIVE, product.sku, data, event_id=receipt, source=SOURCE)
            yield Outgoing(INVENTORY_RECEIVE, product.sku, message)


def _create(product: Product, currency: str) -> Outgoing:
    data = ProductCreate(
        name=product.name,
        price=product.price,
        currency=currency,
        description=product.description,
        categories=(product.category,),
    )
    made = derived_id("retail", "product", product.sku, *map(str, shown(product)))
    message = command(PRODUCT_CREATE, product.sku, data, event_id=made, source=SOURCE)
    return Outgoing(PRODUCT_CREATE, product.sku, message)


def _update(product: Product) -> Outgoing:
    data = ProductUpdate(
        name=product.name,
        description=product.description,
        categories=(product.category,),
        price=product.price,
    )
    message = command(PRODUCT_UPDATE, product.sku, data, source=SOURCE)
    return Outgoing(PRODUCT_UPDATE, product.sku, message)
