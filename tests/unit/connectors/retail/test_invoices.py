from datetime import date
from decimal import Decimal

from hypothesis import given

from connectors.retail.classify import Limits, Reason
from connectors.retail.figures import monthly
from connectors.retail.identity import cart_id, command_id, order_id, receipt_id, row_id, user_id
from connectors.retail.invoices import UNDATED, UNSPECIFIED, Window, invoices
from connectors.retail.row import Row
from tests.unit.connectors.retail.rows import DECEMBER, arbitrary_rows, row

DAY = 86_400_000


def test_rows_of_an_invoice_need_not_stand_together_and_keep_their_ordinals() -> None:
    found = invoices([row(1), row(2, invoice_no="536366", at=DECEMBER + 1), row(3, at=DECEMBER + 60_000)])
    assert [(i.number, i.placed_at, [g.ordinal for g in i.goods]) for i in found] == [
        ("536365", DECEMBER, [1, 2]),
        ("536366", DECEMBER + 1, [1]),
    ]


def test_goods_charges_and_rejected_rows_are_told_apart() -> None:
    (invoice,) = invoices([row(1), row(2, stock_code="POST"), row(3, unit_price="0")])
    assert (len(invoice.goods), len(invoice.charges), len(invoice.rejected)) == (1, 1, 1)
    assert invoice.accepted
    assert not invoice.returned
    assert invoice.month == "2010-12"


def test_a_wholly_rejected_invoice_is_not_accepted() -> None:
    (invoice,) = invoices([row(unit_price="0")])
    assert not invoice.accepted


def test_customer_and_country_come_from_the_first_row_that_has_them() -> None:
    (invoice,) = invoices([row(customer_id=None, country=None), row(customer_id="1", country="France")])
    assert (invoice.customer_id, invoice.country) == ("1", "France")
    (guest,) = invoices([row(customer_id=None, country=None)])
    assert (guest.customer_id, guest.country) == (None, UNSPECIFIED)


def test_the_window_includes_its_start_excludes_its_end_and_counts_invoices() -> None:
    rows = [row(n, invoice_no=str(n), at=DECEMBER + n * DAY) for n in range(5)]
    found = invoices(rows)

    def of(window: Window) -> list[str]:
        return [i.number for i in window.of(found)]

    assert of(Window(start=date(2010, 12, 2), end=date(2010, 12, 4))) == ["1", "2"]
    assert of(Window(start=date(2010, 12, 2), limit=3)) == ["1", "2", "3"]
    assert of(Window(limit=0)) == []


def test_undated_invoices_belong_to_the_whole_file_only() -> None:
    found = invoices([row(at=None)])
    assert [i.month for i in Window().of(found)] == [UNDATED]
    assert list(Window(start=date(1970, 1, 1)).of(found)) == []


def test_ids_depend_on_the_retailers_numbers_alone() -> None:
    ids = {
        order_id("1"),
        order_id("2"),
        cart_id("1"),
        row_id("1", 1),
        row_id("1", 2),
        row_id("11", 1),
        user_id("1"),
        receipt_id("1", "2010-12"),
        command_id("1", "add-0"),
    }
    assert len(ids) == 9


@given(arbitrary_rows)
def test_accepted_and_rejected_are_what_was_received(rows: list[Row]) -> None:
    months = monthly(invoices(rows))
    assert sum(m.received_rows for m in months.values()) == len(rows)
    for month in months.values():
        assert month.balanced
        assert month.rejected_rows == sum(month.rejected_by_reason.values())
        assert all(
            isinstance(amount, int)
            for amount in (month.gross, month.returned, month.net, month.charges, month.charges_refunded)
        )
        assert month.gross >= month.charges >= 0
        assert month.returned >= month.charges_refunded >= 0


@given(arbitrary_rows)
def test_rounding_never_exceeds_half_a_cent_per_piece(rows: list[Row]) -> None:
    pieces = sum(abs(r.quantity or 0) for r in rows)
    off = sum((abs(m.rounding) for m in monthly(invoices(rows)).values()), Decimal(0))
    assert off <= pieces * Decimal("0.005")


def test_a_months_figures() -> None:
    rows = [
        row(1),
        row(2, stock_code="POST", quantity=1, unit_price="18"),
        row(3, unit_price="0"),
        row(4, stock_code="PADS", quantity=100, unit_price="0.015"),
        row(5, invoice_no="C1", quantity=-2),
        row(6, invoice_no="C1", quantity=-1, stock_code="D", unit_price="27.5"),
        row(7, invoice_no="A1", stock_code="B", quantity=1, unit_price="-10"),
    ]
    month = monthly(invoices(rows))["2010-12"]
    assert (month.invoices, month.sales, month.returns) == (3, 1, 1)
    assert (month.received_rows, month.accepted_rows, month.rejected_rows) == (7, 5, 2)
    assert (month.units_sold, month.units_returned) == (106, 2)
    assert (month.gross, month.charges) == (1530 + 1800 + 200, 1800)
    assert (month.returned, month.charges_refunded) == (510 + 2750, 2750)
    assert month.net == 3530 - 3260
    assert month.rejected_amount == -1000
    assert month.rejected_by_reason == {"zero_price": 1, "bad_debt": 1}
    assert month.rounding == month.accepted_rounding == Decimal("0.500")


def test_rows_beyond_the_platform_s_limits_are_rejected_by_their_own_name() -> None:
    limits = Limits(lines=2, pieces=10, price=1_000)
    rows = [row(1, quantity=11), row(2, unit_price="10.01"), row(3), row(4, stock_code="POST", quantity=11)]
    (invoice,) = invoices(rows, limits)
    assert [each.reason for each in invoice.rejected] == [
        Reason.TOO_MANY_PIECES,
        Reason.PRICE_TOO_HIGH,
        Reason.TOO_MANY_PIECES,
    ]
    assert len(invoice.goods) == 1
    (month,) = monthly([invoice]).values()
    assert month.balanced


def test_an_invoice_with_too_many_rows_is_no_order() -> None:
    rows = [row(1), row(2), row(3, unit_price="0"), row(4)]
    (invoice,) = invoices(rows, Limits(lines=2, pieces=10_000, price=100_000))
    assert not invoice.accepted
    assert [each.reason for each in invoice.rejected] == [
        Reason.TOO_MANY_LINES,
        Reason.TOO_MANY_LINES,
        Reason.ZERO_PRICE,
        Reason.TOO_MANY_LINES,
    ]
    assert invoices(rows, Limits(lines=3, pieces=10_000, price=100_000))[0].accepted
