"""One row of a retailer's invoice file, as read."""

from decimal import Decimal

import msgspec

COLUMNS = (
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
)


class Row(msgspec.Struct, frozen=True, gc=False):
    """A row; a cell that is empty in the file is None.

    `number` counts the file's data rows from 1. `at` is in ms since the epoch, UTC: the file's times have no
    zone and are taken as UTC. `quantity` is in pieces. `unit_price` is the exact decimal that the file shows,
    in major units, `digits` how many decimals the currency's minor unit has (ISO 4217: none for JPY).
    """

    number: int
    invoice_no: str | None
    stock_code: str | None
    description: str | None
    quantity: int | None
    at: int | None
    unit_price: Decimal | None
    customer_id: str | None
    country: str | None
    digits: int = 2
