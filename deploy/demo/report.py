"""The reconciliation report: one table for people, one object for programs."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from connectors.retail.figures import MonthFigures
from connectors.retail.money import digits_of
from deploy.demo.reconcile import Difference, ViewFigures

# Figure, title, and whether it is money (minor units).
_COLUMNS = (
    ("received_rows", "rows", False),
    ("accepted_rows", "accepted", False),
    ("rejected_rows", "rejected", False),
    ("units_sold", "units", False),
    ("units_returned", "units back", False),
    ("gross", "gross", True),
    ("returned", "returned", True),
    ("net", "net", True),
    ("charges", "charges", True),
    ("charges_refunded", "charges back", True),
)
# What the search index does not hold.
_NOT_IN_SEARCH = frozenset({"received_rows", "rejected_rows"})


class Reconciliation(msgspec.Struct, frozen=True):
    """What came in, what each view holds (`held` by view's name), and where they differ."""

    came_in: Mapping[str, MonthFigures]
    held: Mapping[str, Mapping[str, ViewFigures]]
    differences: Sequence[Difference]

    @property
    def exact(self) -> bool:
        """Say whether everything agrees, and the file's own figures add up."""
        return not self.differences and all(month.balanced for month in self.came_in.values())


def money(minor: int, currency: str) -> str:
    """Return an amount of minor units for people."""
    return f"{currency} {_amount(minor, digits_of(currency))}"


def _amount(minor: int, digits: int) -> str:
    return f"{Decimal(minor).scaleb(-digits):,.{digits}f}"


def show(found: Reconciliation, console: Console, currency: str) -> None:
    """Print the report: a table, the rejected rows by reason, the rounding, and the differences."""
    digits = digits_of(currency)
    table = Table(title=f"Reconciliation by month ({currency})", title_justify="left")
    table.add_column("month", no_wrap=True)
    table.add_column("figure", no_wrap=True)
    for source in ("file", *found.held):
        table.add_column(source, justify="right", no_wrap=True)
    wrong = {(d.month, d.view, d.figure) for d in found.differences}
    for month, file in found.came_in.items():
        for index, (figure, title, is_money) in enumerate(_COLUMNS):
            cells = [_cell(file, figure, digits if is_money else None)]
            for view, months in found.held.items():
                cell = _cell(months.get(month, ViewFigures()), figure, digits if is_money else None)
                if view == "elasticsearch" and figure in _NOT_IN_SEARCH:
                    cell = "-"
                cells.append(f"[red]{cell}[/red]" if (month, view, figure) in wrong else cell)
            table.add_row(month if index == 0 else "", title, *cells)
        table.add_section()
    console.print(table)
    _show_rejected(found, console)
    _show_rounding(found, console, currency)
    for difference in found.differences:
        console.print(
            f"[red]difference[/red] {difference.month} {difference.view}: {difference.figure} is"
            f" {difference.shown}, the file has {difference.file}",
            highlight=False,
        )
    if found.exact:
        views = " = ".join(found.held)
        console.print(
            f"[green]reconciled[/green]: file = {views}, to the row and to the cent", highlight=False
        )
    else:
        console.print(f"[red]not reconciled[/red]: {len(found.differences)} differences", highlight=False)


def _cell(figures: MonthFigures | ViewFigures, name: str, digits: int | None) -> str:
    value = getattr(figures, name)
    return f"{value:,}" if digits is None else _amount(value, digits)


def _show_rejected(found: Reconciliation, console: Console) -> None:
    for month, file in found.came_in.items():
        if file.rejected_by_reason:
            reasons = ", ".join(f"{reason} {n:,}" for reason, n in sorted(file.rejected_by_reason.items()))
            console.print(f"rejected in {month}: {reasons}", highlight=False)


def _show_rounding(found: Reconciliation, console: Console, currency: str) -> None:
    """State what rounding unit prices to whole minor units did, month by month where it did anything."""
    changed = [(month, file) for month, file in found.came_in.items() if file.rounding]
    if not changed:
        console.print("rounding (unit prices, half to even): changed nothing", highlight=False)
    for month, file in changed:
        in_rejected = file.rounding - file.accepted_rounding
        console.print(
            f"rounding (unit prices, half to even) in {month}: {currency} {file.rounding:+}"
            f" ({file.accepted_rounding:+} in accepted rows, {in_rejected:+} in rejected rows)",
            highlight=False,
        )


def as_json(found: Reconciliation) -> dict[str, Any]:
    """Return the report as plain data; amounts in minor units, rounding in major units as text."""
    return {
        "reconciled": found.exact,
        "months": [_month(month, file, found.held) for month, file in found.came_in.items()],
        "differences": [msgspec.to_builtins(difference) for difference in found.differences],
    }


def _month(month: str, file: MonthFigures, held: Mapping[str, Mapping[str, ViewFigures]]) -> dict[str, Any]:
    return {
        "month": month,
        "file": {
            "invoices": file.invoices,
            "sales": file.sales,
            "returns": file.returns,
            **_figures(file),
            "received_amount": file.received_amount,
            "rejected_amount": file.rejected_amount,
            "rejected_by_reason": dict(sorted(file.rejected_by_reason.items())),
            "rounding": str(file.rounding),
            "accepted_rounding": str(file.accepted_rounding),
        },
        **{view: _view(months.get(month, ViewFigures()), view) for view, months in held.items()},
    }


def _figures(figures: MonthFigures | ViewFigures) -> dict[str, int]:
    return {name: getattr(figures, name) for name, _, _ in _COLUMNS}


def _view(figures: ViewFigures, view: str) -> dict[str, Any]:
    shown: dict[str, Any] = {"sales": figures.sales, "returns": figures.returns, **_figures(figures)}
    if view == "elasticsearch":
        return {name: value for name, value in shown.items() if name not in _NOT_IN_SEARCH}
    return shown | {
        "received_amount": figures.received_amount,
        "rejected_amount": figures.rejected_amount,
        "rejected_by_reason": dict(sorted(figures.rejected_by_reason.items())),
    }
