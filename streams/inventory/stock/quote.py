"""The firm quote: price and stock of one SKU, decided together."""

from schemas.inventory import InventoryReserve, QuotedLine, RequestedLine
from schemas.refusal import Refusal
from tables.inventory.stock import Facts, Stock


def refusal(stock: Stock, asked: InventoryReserve, quantity: int) -> str | None:
    """Return why none of the asked lines can be reserved (a reason of `inventory.line_rejected`), or None.

    `quantity` is the sum of the lines.
    """
    facts = stock.facts
    if not asked.lines or any(line.quantity <= 0 for line in asked.lines):
        return Refusal.INVALID_QUANTITY
    if any(line.agreed_price is not None and line.agreed_price < 0 for line in asked.lines):
        return Refusal.INVALID_PRICE
    if facts is None:
        return Refusal.UNKNOWN_SKU
    return _unsold(facts, asked) or (Refusal.OUT_OF_STOCK if quantity > stock.available else None)


def _unsold(facts: Facts, asked: InventoryReserve) -> str | None:
    """Return why the product is not sold as it was asked for, or None."""
    if not facts.active:
        return Refusal.DISCONTINUED
    if any(_another(line, facts) for line in asked.lines):
        return Refusal.PRODUCT_REPLACED
    return Refusal.CURRENCY_MISMATCH if facts.currency != asked.currency else None


def _another(line: RequestedLine, facts: Facts) -> bool:
    """Say whether the buyer saw another product of this SKU; where either is not known, nobody can tell."""
    return None not in (line.incarnation, facts.created_at) and line.incarnation != facts.created_at


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
