import io
import json
from collections import Counter

from hypothesis import given
from rich.console import Console

from connectors.retail.figures import MonthFigures, monthly
from connectors.retail.invoices import invoices
from connectors.retail.row import Row
from deploy.demo.reconcile import Difference, ViewFigures, compare
from deploy.demo.report import Reconciliation, as_json, money, show
from tests.unit.connectors.retail.rows import arbitrary_rows, row

ROWS = [row(1), row(2, unit_price="0"), row(3, invoice_no="C1", quantity=-2)]


def exact_copy(file: MonthFigures) -> ViewFigures:
    return ViewFigures(
        sales=file.sales,
        returns=file.returns,
        accepted_rows=file.accepted_rows,
        rejected_rows=file.rejected_rows,
        rejected_amount=file.rejected_amount,
        rejected_by_reason=Counter(file.rejected_by_reason),
        units_sold=file.units_sold,
        units_returned=file.units_returned,
        gross=file.gross,
        returned=file.returned,
        charges=file.charges,
        charges_refunded=file.charges_refunded,
        sale_totals=file.gross,
        return_totals=file.returned,
    )


@given(arbitrary_rows)
def test_a_view_that_holds_what_came_in_has_no_difference(rows: list[Row]) -> None:
    came_in = monthly(invoices(rows))
    assert compare("postgres", came_in, {month: exact_copy(file) for month, file in came_in.items()}) == []


def test_a_cent_and_a_row_are_differences() -> None:
    came_in = monthly(invoices(ROWS))
    held = exact_copy(came_in["2010-12"])
    held.gross -= 1
    held.rejected_rows = 0
    found = compare("postgres", came_in, {"2010-12": held})
    assert Difference("2010-12", "postgres", "gross", 1530, 1529) in found
    assert Difference("2010-12", "postgres", "rejected_rows", 1, 0) in found
    assert {d.figure for d in found} == {
        "gross",
        "net",
        "rejected_rows",
        "received_rows",
        "received_amount",
    }


def test_an_order_that_disagrees_with_its_own_lines_is_a_difference() -> None:
    came_in = monthly(invoices(ROWS))
    held = exact_copy(came_in["2010-12"])
    held.sale_totals += 1
    assert [d.figure for d in compare("postgres", came_in, {"2010-12": held})] == ["sale_totals"]


def test_a_month_that_only_one_side_has_is_a_difference() -> None:
    came_in = monthly(invoices(ROWS))
    assert compare("postgres", came_in, {})
    assert compare("postgres", {}, {"2011-01": ViewFigures(sales=1)})


def test_the_search_index_is_not_asked_for_dead_letters() -> None:
    came_in = monthly(invoices(ROWS))
    held = exact_copy(came_in["2010-12"])
    held.rejected_rows = held.rejected_amount = 0
    held.rejected_by_reason = Counter()
    assert compare("elasticsearch", came_in, {"2010-12": held}, rejected=False) == []


def reconciliation(off_by: int = 0) -> Reconciliation:
    came_in = monthly(invoices([*ROWS, row(4, stock_code="PADS", unit_price="0.001", quantity=1)]))
    postgres = exact_copy(came_in["2010-12"])
    postgres.gross += off_by
    held = {"postgres": {"2010-12": postgres}, "elasticsearch": {"2010-12": postgres}}
    return Reconciliation(came_in, held, compare("postgres", came_in, held["postgres"]))


def shown(found: Reconciliation) -> str:
    out = io.StringIO()
    show(found, Console(file=out, width=200), "GBP")
    return out.getvalue()


def test_the_report_of_an_exact_replay() -> None:
    text = shown(reconciliation())
    assert "reconciled: file = postgres = elasticsearch" in text
    assert "rejected in 2010-12: price_rounds_to_zero 1, zero_price 1" in text
    assert "in 2010-12: GBP -0.001 (+0.00 in accepted rows, -0.001 in rejected rows)" in text


def test_the_report_names_every_difference() -> None:
    text = shown(reconciliation(off_by=5))
    assert "not reconciled" in text
    assert "2010-12 postgres: gross is 1535, the file has 1530" in text


def test_the_report_as_json() -> None:
    plain = json.loads(json.dumps(as_json(reconciliation())))
    assert plain["reconciled"] is True
    (month,) = plain["months"]
    assert month["file"]["net"] == month["postgres"]["net"] == 1020
    assert month["file"]["rounding"] == "-0.001"
    assert "rejected_rows" not in month["elasticsearch"]


def test_money_for_people() -> None:
    assert money(123456, "GBP") == "GBP 1,234.56"
