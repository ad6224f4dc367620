"""Judges a row: goods or a charge, of a sale or of a return; or rejected, with the first rule it breaks.

A missing CustomerID is a guest's sale, a missing Description or Country is bearable; the rest must be there.
"""

from decimal import Decimal
from enum import StrEnum

import msgspec

from connectors.retail.codes import (
    BAD_DEBT_CODE,
    BAD_DEBT_PREFIX,
    CHARGES,
    RETURN_PREFIX,
    ChargeCode,
    normalised,
)
from connectors.retail.money import minor_units
from connectors.retail.row import Row
from schemas.bounds import SHORT, TIME
from schemas.sku import well_formed


class Reason(StrEnum):
    """Why a row cannot be part of an order, in the order in which the rules are tried."""

    MISSING_INVOICE_NO = "missing_invoice_no"
    MISSING_STOCK_CODE = "missing_stock_code"
    MISSING_QUANTITY = "missing_quantity"
    MISSING_INVOICE_DATE = "missing_invoice_date"
    MISSING_UNIT_PRICE = "missing_unit_price"
    BAD_DEBT = "bad_debt"
    MALFORMED_STOCK_CODE = "malformed_stock_code"
    NEGATIVE_PRICE = "negative_price"
    ZERO_PRICE = "zero_price"
    PRICE_ROUNDS_TO_ZERO = "price_rounds_to_zero"
    ZERO_QUANTITY = "zero_quantity"
    NEGATIVE_QUANTITY = "negative_quantity"
    POSITIVE_QUANTITY_IN_RETURN = "positive_quantity_in_return"
    DATE_OUT_OF_RANGE = "date_out_of_range"
    TOO_MANY_PIECES = "too_many_pieces"
    PRICE_TOO_HIGH = "price_too_high"
    TOO_MANY_LINES = "too_many_lines"


EXPLANATIONS: dict[Reason, str] = {
    Reason.MISSING_INVOICE_NO: "InvoiceNo: is missing",
    Reason.MISSING_STOCK_CODE: "StockCode: is missing",
    Reason.MISSING_QUANTITY: "Quantity: is missing",
    Reason.MISSING_INVOICE_DATE: "InvoiceDate: is missing",
    Reason.MISSING_UNIT_PRICE: "UnitPrice: is missing",
    Reason.BAD_DEBT: "InvoiceNo: a bad-debt adjustment (A invoice or code B) is no order",
    Reason.MALFORMED_STOCK_CODE: "StockCode: is no SKU (letters, digits, spaces or ._-/ , 64 at the most)",
    Reason.NEGATIVE_PRICE: "UnitPrice: must not be negative",
    Reason.ZERO_PRICE: "UnitPrice: must not be zero",
    Reason.PRICE_ROUNDS_TO_ZERO: "UnitPrice: is zero in whole minor units",
    Reason.ZERO_QUANTITY: "Quantity: must not be zero",
    Reason.NEGATIVE_QUANTITY: "Quantity: may be negative in a return (C invoice) only",
    Reason.POSITIVE_QUANTITY_IN_RETURN: "Quantity: must be negative in a return (C invoice)",
    Reason.DATE_OUT_OF_RANGE: "InvoiceDate: must lie in the years 1970 to 9998",
    Reason.TOO_MANY_PIECES: "Quantity: is more than a line may have (ECOMMERCE_CART_MAX_QUANTITY)",
    Reason.PRICE_TOO_HIGH: "UnitPrice: is more than a line may cost (ECOMMERCE_CART_MAX_AGREED_PRICE)",
    Reason.TOO_MANY_LINES: "InvoiceNo: has more rows than a cart may have lines (ECOMMERCE_CART_MAX_LINES)",
}


class Limits(msgspec.Struct, frozen=True):
    """What the platform takes of an invoice: lines, and pieces and unit price (minor units) of each."""

    lines: int
    pieces: int
    price: int


class Goods(msgspec.Struct, frozen=True, gc=False):
    """Pieces of a SKU, sold or returned: `quantity` is positive, `unit_price` in minor units.

    `ordinal` counts the invoice's rows from 1; `exact_price` is the file's price, unrounded (major units).
    """

    ordinal: int
    sku: str
    description: str | None
    quantity: int
    unit_price: int
    exact_price: Decimal

    @property
    def amount(self) -> int:
        """Return the line's amount in minor units."""
        return self.quantity * self.unit_price


class Charged(msgspec.Struct, frozen=True, gc=False):
    """A charge, or on a return an amount refunded: `quantity` is positive, `unit_price` in minor units."""

    ordinal: int
    code: str
    description: str
    quantity: int
    unit_price: int
    exact_price: Decimal

    @property
    def amount(self) -> int:
        """Return the charge's amount in minor units."""
        return self.quantity * self.unit_price


class Rejected(msgspec.Struct, frozen=True, gc=False):
    """A row that cannot be part of an order, and the rule it broke."""

    ordinal: int
    row: Row
    reason: Reason

    @property
    def amount(self) -> int:
        """Return the row's signed amount in minor units; 0 where price or quantity is missing."""
        return signed_amount(self.row)


def signed_amount(row: Row) -> int:
    """Return quantity x rounded unit price in minor units, with the file's signs; 0 where one is missing."""
    if row.quantity is None or row.unit_price is None:
        return 0
    return row.quantity * minor_units(row.unit_price, row.digits)


def is_return(invoice_no: str) -> bool:
    """Say whether an invoice number stands for a return: it starts with C."""
    return invoice_no[:1].upper() == RETURN_PREFIX


def classify(row: Row, ordinal: int) -> Goods | Charged | Rejected:
    """Judge a row, the `ordinal`-th of its invoice; every row is exactly one of the three."""
    invoice_no, code, price, quantity = row.invoice_no, row.stock_code, row.unit_price, row.quantity
    if invoice_no is None or code is None or price is None or quantity is None or row.at is None:
        return Rejected(ordinal, row, _missing(row))
    sku = normalised(code)
    unit_price = minor_units(price, row.digits)
    broken = _broken_rule(invoice_no, sku, price, unit_price, quantity)
    if broken is None and not in_range(row.at):
        broken = Reason.DATE_OUT_OF_RANGE
    if broken is not None:
        return Rejected(ordinal, row, broken)
    charge: ChargeCode | None = CHARGES.get(sku)
    if charge is None:
        return Goods(ordinal, sku, row.description, abs(quantity), unit_price, price)
    description = (row.description or charge.name)[: SHORT.most]
    return Charged(ordinal, sku, description, abs(quantity), unit_price, price)


def in_range(at: int) -> bool:
    """Say whether a time (ms) is one that an order may have."""
    return TIME.least <= at <= TIME.most


def _missing(row: Row) -> Reason:
    if row.invoice_no is None:
        return Reason.MISSING_INVOICE_NO
    if row.stock_code is None:
        return Reason.MISSING_STOCK_CODE
    if row.quantity is None:
        return Reason.MISSING_QUANTITY
    if row.at is None:
        return Reason.MISSING_INVOICE_DATE
    return Reason.MISSING_UNIT_PRICE


def _broken_rule(invoice_no: str, sku: str, price: Decimal, unit_price: int, quantity: int) -> Reason | None:
    returned = is_return(invoice_no)
    rules = (
        (invoice_no[:1].upper() == BAD_DEBT_PREFIX or sku == BAD_DEBT_CODE, Reason.BAD_DEBT),
        (not well_formed(sku), Reason.MALFORMED_STOCK_CODE),
        (price < 0, Reason.NEGATIVE_PRICE),
        (price == 0, Reason.ZERO_PRICE),
        (unit_price == 0, Reason.PRICE_ROUNDS_TO_ZERO),
        (quantity == 0, Reason.ZERO_QUANTITY),
        (quantity < 0 and not returned, Reason.NEGATIVE_QUANTITY),
        (quantity > 0 and returned, Reason.POSITIVE_QUANTITY_IN_RETURN),
    )
    return next((reason for broken, reason in rules if broken), None)


def beyond(line: Goods | Charged, limits: Limits) -> Reason | None:
    """Return which of the platform's limits a line breaks, or None."""
    if line.quantity > limits.pieces:
        return Reason.TOO_MANY_PIECES
    return Reason.PRICE_TOO_HIGH if line.unit_price > limits.price else None
