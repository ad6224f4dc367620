"""Ids of what a file holds: made from the retailer's own numbers, never from the file.

Another copy of the same month, or the same month inside a larger file, therefore yields the same ids and
doubles nothing.
"""

from schemas.envelope import derived_id


def order_id(invoice_no: str) -> str:
    """Return the order (or return) that an invoice becomes."""
    return derived_id("retail", "order", invoice_no)


def cart_id(invoice_no: str) -> str:
    """Return the cart that an invoice is filled into."""
    return derived_id("retail", "cart", invoice_no)


def row_id(invoice_no: str, ordinal: int) -> str:
    """Return the id of an invoice's row; `ordinal` counts the invoice's rows from 1, in file order."""
    return derived_id("retail", "row", invoice_no, str(ordinal))


def user_id(customer_id: str) -> str:
    """Return the user behind a CustomerID."""
    return derived_id("retail", "customer", customer_id)


def receipt_id(sku: str, month: str) -> str:
    """Return the id of the goods receipt that brings a SKU's need of one month (YYYY-MM) into the house."""
    return derived_id("retail", "receipt", sku, month)


def restock_id(sku: str, version: int) -> str:
    """Return the id of a goods receipt that fills up a SKU whose stock is at that version."""
    return derived_id("retail", "restock", sku, str(version))


def command_id(invoice_no: str, step: str) -> str:
    """Return the event id of a command that the replay of an invoice sends; `step` names it."""
    return derived_id("retail", "command", invoice_no, step)
