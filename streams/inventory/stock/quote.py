"""The firm quote: price and stock of one SKU, decided together."""

from collections.abc import Iterator

from schemas.inventory import InventoryReserve, QuotedLine
from tables.stock import Facts, Stock


def refusal(stock: Stock, asked: InventoryReserve) -> str | None:
    """Return why none of the asked lines can be reserved (a reason of `inventory.line_rejected`), or None."""
    return next(_refusals(stock, asked), None)


def quote(facts: Facts, sku: str, asked: InventoryReserve) -> tuple[QuotedLine, ...]:
    """Return every asked line with its firm unit price, in minor units of the product's currency.

    An agreed price overrides the list price.
    """
    return tuple(
        QuotedLine(
            line_id=line.line_id,
            sku=sku,
            name=facts.name,
            quantity=line.quantity,
            unit_price=facts.price if line.agreed_price is None else line.agreed_price,
        )
        for line in asked.lines
    )


def _refusals(stock: Stock, asked: InventoryReserve) -> Iterator[str]:
    if not asked.lines or any(line.quantity <= 0 for line in asked.lines):
        yield "invalid_quantity"
    if any(line.agreed_price is not None and line.agreed_price < 0 for line in asked.lines):
        yield "invalid_price"
    if stock.facts is None:
        yield "unknown_sku"
    elif not stock.facts.active:
        yield "discontinued"
    elif stock.facts.currency != asked.currency:
        yield "currency_mismatch"
    elif sum(line.quantity for line in asked.lines) > stock.available:
        yield "out_of_stock"
