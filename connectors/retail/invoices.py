"""A file's rows as invoices, in the order in which they were placed, and the window of them to replay."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import msgspec

from connectors.retail.classify import (
    Charged,
    Goods,
    Limits,
    Reason,
    Rejected,
    beyond,
    classify,
    in_range,
    is_return,
    signed_amount,
)
from connectors.retail.row import Row

UNDATED = "undated"
UNSPECIFIED = "Unspecified"


class Invoice(msgspec.Struct, frozen=True):
    """One invoice: what it sold or took back, what it charged, and its rows that were rejected.

    `placed_at` is the earliest InvoiceDate of its rows, in ms (None where no row has one that can be used).
    `digits` are the decimals of its currency's minor unit. `received_rows`,
    `received_amount` (signed, minor units) and `received_exact` (the same before rounding, major units) are
    counted over the raw rows before any of them is judged.
    """

    number: str
    returned: bool
    placed_at: int | None
    customer_id: str | None
    country: str
    goods: tuple[Goods, ...]
    charges: tuple[Charged, ...]
    rejected: tuple[Rejected, ...]
    received_rows: int
    received_amount: int
    received_exact: Decimal
    digits: int = 2

    @property
    def accepted(self) -> bool:
        """Say whether there is anything to order or to take back."""
        return bool(self.goods or self.charges)

    @property
    def month(self) -> str:
        """Return the month under which all its rows are counted, as YYYY-MM."""
        return UNDATED if self.placed_at is None else month_of(self.placed_at)


class Window(msgspec.Struct, frozen=True):
    """Which invoices: placed from `start` (inclusive) to `end` (exclusive), UTC dates; the first `limit`.

    Invoices without any date are part of it only where neither bound is given.
    """

    start: date | None = None
    end: date | None = None
    limit: int | None = None

    def of(self, invoices: Iterable[Invoice]) -> Iterator[Invoice]:
        """Yield the window's invoices out of an ordered stream."""
        left = self.limit
        for invoice in invoices:
            if left == 0:
                return
            if self._holds(invoice.placed_at):
                left = None if left is None else left - 1
                yield invoice

    def _holds(self, placed_at: int | None) -> bool:
        if placed_at is None:
            return self.start is None and self.end is None
        day = datetime.fromtimestamp(placed_at / 1000, UTC).date()
        return (self.start is None or day >= self.start) and (self.end is None or day < self.end)


def month_of(at: int) -> str:
    """Return the UTC month of a time in ms, as YYYY-MM."""
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m")


def invoices(rows: Iterable[Row], limits: Limits | None = None) -> list[Invoice]:
    """Group rows by InvoiceNo (they need not stand together) and order the invoices by time, then by file.

    Rows without an InvoiceNo are grouped by their time, so that they too keep an identity of their own. Where
    the platform has `limits`, a row beyond them is rejected, and all rows of an invoice with too many.
    """
    grouped: dict[str, list[Row]] = {}
    for row in rows:
        grouped.setdefault(row.invoice_no or f"(none) {row.at}", []).append(row)
    found = [_invoice(number, of_invoice, limits) for number, of_invoice in grouped.items()]
    found.sort(key=lambda invoice: (invoice.placed_at is None, invoice.placed_at or 0))
    return found


def _invoice(number: str, rows: list[Row], limits: Limits | None) -> Invoice:
    goods: list[Goods] = []
    charges: list[Charged] = []
    rejected: list[Rejected] = []
    for judged in _judged(rows, limits):
        match judged:
            case Goods() as line:
                goods.append(line)
            case Charged() as charge:
                charges.append(charge)
            case Rejected() as refusal:
                rejected.append(refusal)
    return Invoice(
        number=number,
        returned=is_return(number),
        placed_at=min((row.at for row in rows if row.at is not None and in_range(row.at)), default=None),
        customer_id=next((row.customer_id for row in rows if row.customer_id), None),
        country=next((row.country for row in rows if row.country), UNSPECIFIED),
        goods=tuple(goods),
        charges=tuple(charges),
        rejected=tuple(rejected),
        received_rows=len(rows),
        received_amount=sum(signed_amount(row) for row in rows),
        received_exact=sum((_exact(row) for row in rows), Decimal(0)),
        digits=rows[0].digits,
    )


def _judged(rows: list[Row], limits: Limits | None) -> list[Goods | Charged | Rejected]:
    judged = [classify(row, ordinal) for ordinal, row in enumerate(rows, start=1)]
    if limits is None:
        return judged
    for at, (line, row) in enumerate(zip(judged, rows, strict=True)):
        if not isinstance(line, Rejected) and (reason := beyond(line, limits)) is not None:
            judged[at] = Rejected(line.ordinal, row, reason)
    if sum(not isinstance(line, Rejected) for line in judged) <= limits.lines:
        return judged
    # A part of an order is another order than was placed.
    return [
        line if isinstance(line, Rejected) else Rejected(line.ordinal, row, Reason.TOO_MANY_LINES)
        for line, row in zip(judged, rows, strict=True)
    ]


def _exact(row: Row) -> Decimal:
    return Decimal(0) if row.quantity is None or row.unit_price is None else row.quantity * row.unit_price
