"""What came in, per month, straight from the file: the left-hand side of the reconciliation."""

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal

import msgspec

from connectors.retail.classify import Charged, Goods
from connectors.retail.invoices import Invoice


class MonthFigures(msgspec.Struct, kw_only=True):
    """A month's figures. Amounts are minor units, as positive sums; units are pieces of goods.

    gross = goods and charges sold; returned = goods and charges given back; net = gross - returned;
    received_amount = net + rejected_amount, and received_rows = accepted_rows + rejected_rows.
    `charges` and `charges_refunded` are the parts of gross and returned that are not goods.
    `received_exact` and `accepted_exact` are received_amount and net before rounding, in major units.
    `digits` are the decimals of the minor unit.
    """

    month: str
    invoices: int = 0
    sales: int = 0
    returns: int = 0
    received_rows: int = 0
    received_amount: int = 0
    accepted_rows: int = 0
    rejected_rows: int = 0
    rejected_amount: int = 0
    rejected_by_reason: Counter[str] = msgspec.field(default_factory=Counter)
    units_sold: int = 0
    units_returned: int = 0
    gross: int = 0
    returned: int = 0
    charges: int = 0
    charges_refunded: int = 0
    received_exact: Decimal = Decimal(0)
    accepted_exact: Decimal = Decimal(0)
    digits: int = 2

    @property
    def net(self) -> int:
        """Return gross - returned."""
        return self.gross - self.returned

    @property
    def rounding(self) -> Decimal:
        """Return what rounding the unit prices added to the amount received, in major units."""
        return Decimal(self.received_amount).scaleb(-self.digits) - self.received_exact

    @property
    def accepted_rounding(self) -> Decimal:
        """Return the part of `rounding` that is in accepted rows, in major units."""
        return Decimal(self.net).scaleb(-self.digits) - self.accepted_exact

    @property
    def balanced(self) -> bool:
        """Say whether accepted + rejected = received, in rows and in minor units."""
        rows = self.accepted_rows + self.rejected_rows == self.received_rows
        return rows and self.net + self.rejected_amount == self.received_amount

    def add(self, invoice: Invoice) -> None:
        """Count an invoice in."""
        self.invoices += 1
        self.digits = invoice.digits
        if invoice.accepted:
            self.sales += not invoice.returned
            self.returns += invoice.returned
        self.received_rows += invoice.received_rows
        self.received_amount += invoice.received_amount
        self.received_exact += invoice.received_exact
        self.accepted_rows += len(invoice.goods) + len(invoice.charges)
        self.rejected_rows += len(invoice.rejected)
        for refusal in invoice.rejected:
            self.rejected_amount += refusal.amount
            self.rejected_by_reason[refusal.reason.value] += 1
        units = sum(line.quantity for line in invoice.goods)
        charged = sum(charge.amount for charge in invoice.charges)
        total = charged + sum(line.amount for line in invoice.goods)
        exact = _exact(invoice.goods) + _exact(invoice.charges)
        if invoice.returned:
            self.units_returned += units
            self.charges_refunded += charged
            self.returned += total
            self.accepted_exact -= exact
        else:
            self.units_sold += units
            self.charges += charged
            self.gross += total
            self.accepted_exact += exact


def _exact(lines: Iterable[Goods | Charged]) -> Decimal:
    return sum((line.quantity * line.exact_price for line in lines), Decimal(0))


def monthly(invoices: Iterable[Invoice]) -> dict[str, MonthFigures]:
    """Return the figures of every month that has invoices, in order."""
    months: dict[str, MonthFigures] = {}
    for invoice in invoices:
        months.setdefault(invoice.month, MonthFigures(month=invoice.month)).add(invoice)
    return dict(sorted(months.items()))
