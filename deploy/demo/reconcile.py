"""Compares what came in with what a view holds, month by month: pure, to the row and to the minor unit."""

from collections import Counter
from collections.abc import Iterator, Mapping

import msgspec

from connectors.retail.figures import MonthFigures
from schemas.order import OrderKind, OrderStatus

# An order that was cancelled, or a return whose money never went back, did not happen.
HAPPENED: dict[OrderKind, frozenset[OrderStatus]] = {
    OrderKind.SALE: frozenset(OrderStatus)
    - {OrderStatus.PLACED, OrderStatus.CANCELLED, OrderStatus.RETURNED},
    OrderKind.RETURN: frozenset({OrderStatus.REFUNDED}),
}


class ViewFigures(msgspec.Struct, kw_only=True):
    """What a view holds of a month's invoices; the names and units are those of `MonthFigures`.

    `gross` and `returned` are summed over lines and charges; `sale_totals` and `return_totals` are what the
    orders themselves say, so that an order that disagrees with its own lines is seen.
    """

    sales: int = 0
    returns: int = 0
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
    sale_totals: int = 0
    return_totals: int = 0

    def count(self, kind: OrderKind, found: "OrdersFound") -> None:
        """Count orders or returns in."""
        self.accepted_rows += found.rows
        if kind is OrderKind.SALE:
            self.sales += found.orders
            self.units_sold += found.units
            self.gross += found.goods + found.charges
            self.charges += found.charges
            self.sale_totals += found.totals
        else:
            self.returns += found.orders
            self.units_returned += found.units
            self.returned += found.goods + found.charges
            self.charges_refunded += found.charges
            self.return_totals += found.totals

    @property
    def net(self) -> int:
        """Return gross - returned."""
        return self.gross - self.returned

    @property
    def received_rows(self) -> int:
        """Return accepted + rejected rows."""
        return self.accepted_rows + self.rejected_rows

    @property
    def received_amount(self) -> int:
        """Return net + rejected amount, in minor units."""
        return self.net + self.rejected_amount


class OrdersFound(msgspec.Struct, frozen=True):
    """Orders of one kind and month, summed: rows are lines and charges, amounts minor units.

    `goods` and `charges` are summed over the lines and charges, `totals` over the orders themselves.
    """

    orders: int
    rows: int
    units: int
    goods: int
    charges: int
    totals: int


class Beside(msgspec.Struct, frozen=True):
    """What the shop has beside a file's orders: those of shoppers and of other files, by their ids.

    `total` is of those orders, in minor units; `in_stock` of the `products` on sale can be bought.
    """

    orders: int = 0
    total: int = 0
    products: int = 0
    in_stock: int = 0


class Difference(msgspec.Struct, frozen=True):
    """One figure of one month that a view shows otherwise than the file."""

    month: str
    view: str
    figure: str
    file: int
    shown: int


# Orders and rejected rows may lie in different views: the search index has no dead letters.
ORDER_FIGURES = (
    "sales",
    "returns",
    "accepted_rows",
    "units_sold",
    "units_returned",
    "gross",
    "returned",
    "net",
    "charges",
    "charges_refunded",
)
REJECTED_FIGURES = ("rejected_rows", "rejected_amount")
RECEIVED_FIGURES = ("received_rows", "received_amount")


def compare(
    view: str, came_in: Mapping[str, MonthFigures], held: Mapping[str, ViewFigures], *, rejected: bool = True
) -> list[Difference]:
    """Return where the file's months and a view's differ; `rejected` where the view has dead letters."""
    found: list[Difference] = []
    for month in sorted(came_in.keys() | held.keys()):
        file = came_in.get(month, MonthFigures(month=month))
        shown = held.get(month, ViewFigures())
        found += (
            Difference(month, view, figure, wants, has)
            for figure, wants, has in _pairs(file, shown, rejected=rejected)
            if wants != has
        )
    return found


def _pairs(file: MonthFigures, shown: ViewFigures, *, rejected: bool) -> Iterator[tuple[str, int, int]]:
    figures = ORDER_FIGURES + (REJECTED_FIGURES + RECEIVED_FIGURES if rejected else ())
    for figure in figures:
        yield figure, getattr(file, figure), getattr(shown, figure)
    yield "sale_totals", file.gross, shown.sale_totals
    yield "return_totals", file.returned, shown.return_totals
    if rejected:
        for reason in sorted(file.rejected_by_reason.keys() | shown.rejected_by_reason.keys()):
            wants, has = file.rejected_by_reason[reason], shown.rejected_by_reason[reason]
            yield f"rejected {reason}", wants, has
