"""What the platform does not take is rejected by its own name, in every currency."""

from decimal import Decimal

import msgspec
import pytest

from connectors.retail.catalogue import catalogue
from connectors.retail.classify import EXPLANATIONS, Charged, Goods, Reason, Rejected, classify
from connectors.retail.figures import monthly
from connectors.retail.invoices import UNDATED, invoices
from connectors.retail.money import digits_of, minor_units
from connectors.retail.row import Row
from schemas.bounds import SHORT, TIME
from tests.unit.connectors.retail.rows import DECEMBER, row


@pytest.mark.parametrize(
    ("currency", "price", "minor"), [("JPY", "255", 255), ("KWD", "2.555", 2_555), ("GBP", "2.55", 255)]
)
def test_a_price_is_in_the_minor_units_of_its_currency(currency: str, price: str, minor: int) -> None:
    assert minor_units(Decimal(price), digits_of(currency)) == minor
    (invoice,) = invoices([msgspec.structs.replace(row(unit_price=price), digits=digits_of(currency))])
    assert (invoice.goods[0].unit_price, invoice.received_amount) == (minor, 6 * minor)
    (month,) = monthly([invoice]).values()
    assert (month.net, month.rounding, month.accepted_rounding) == (6 * minor, Decimal(0), Decimal(0))


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (row(at=-62_135_596_800_000), Reason.DATE_OUT_OF_RANGE),
        (row(at=TIME.most + 1), Reason.DATE_OUT_OF_RANGE),
        (row(invoice_no="C1", quantity=-1, at=-1), Reason.DATE_OUT_OF_RANGE),
    ],
)
def test_what_is_beyond_a_limit_has_its_reason(given: Row, reason: Reason) -> None:
    found = classify(given, 1)
    assert isinstance(found, Rejected)
    assert found.reason is reason
    assert EXPLANATIONS[reason]


def test_the_ends_of_the_calendar_are_taken() -> None:
    assert isinstance(classify(row(at=0), 1), Goods)
    assert isinstance(classify(row(at=TIME.most), 1), Goods)


def test_a_date_beyond_the_calendar_does_not_date_its_invoice() -> None:
    bad = row(2, at=-62_135_596_800_000)
    (mixed,) = invoices([row(1), bad])
    assert (mixed.placed_at, len(mixed.goods), len(mixed.rejected)) == (DECEMBER, 1, 1)
    (alone,) = invoices([bad])
    assert (alone.month, alone.accepted) == (UNDATED, False)


def test_texts_that_are_too_long_are_cut() -> None:
    long = "VERY LONG NAME " * 20
    (product,) = catalogue(invoices([row(description=long)])).values()
    assert len(product.name) <= SHORT.most
    assert product.name.startswith("Very Long Name Very")
    assert product.description == long.strip()
    charge = classify(row(stock_code="POST", description=long), 1)
    assert isinstance(charge, Charged)
    assert len(charge.description) == SHORT.most
