from decimal import Decimal

import pytest

from connectors.retail.classify import Charged, Goods, Reason, Rejected, classify
from connectors.retail.codes import CHARGES
from tests.unit.connectors.retail.rows import row


def test_a_sold_line_is_goods_with_its_sku_in_upper_case() -> None:
    assert classify(row(stock_code="85123a"), 3) == Goods(
        ordinal=3,
        sku="85123A",
        description="WHITE HANGING HEART T-LIGHT HOLDER",
        quantity=6,
        unit_price=255,
        exact_price=Decimal("2.55"),
    )


def test_a_returned_line_has_a_positive_quantity() -> None:
    judged = classify(row(invoice_no="C536379", quantity=-6), 1)
    assert isinstance(judged, Goods)
    assert (judged.quantity, judged.amount) == (6, 1530)


@pytest.mark.parametrize("code", ["DCGS0076", "DCGSSBOY", "gift_0001_20", "PADS", "22423", "15056BL"])
def test_odd_looking_codes_that_are_sold_by_the_piece_are_goods(code: str) -> None:
    assert isinstance(classify(row(stock_code=code), 1), Goods)


@pytest.mark.parametrize("code", [*CHARGES, "m"])
def test_codes_of_the_table_are_charges_and_on_a_return_refunds(code: str) -> None:
    sold = classify(row(stock_code=code, quantity=2, unit_price="18"), 1)
    back = classify(row(stock_code=code, quantity=-2, unit_price="18", invoice_no="C1"), 1)
    assert isinstance(sold, Charged)
    assert isinstance(back, Charged)
    assert sold.amount == back.amount == 3600


def test_a_charge_without_description_is_shown_by_its_name() -> None:
    judged = classify(row(stock_code="POST", description=None), 1)
    assert isinstance(judged, Charged)
    assert judged.description == "Postage"


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (row(invoice_no=None), Reason.MISSING_INVOICE_NO),
        (row(stock_code=None), Reason.MISSING_STOCK_CODE),
        (row(quantity=None), Reason.MISSING_QUANTITY),
        (row(at=None), Reason.MISSING_INVOICE_DATE),
        (row(unit_price=None), Reason.MISSING_UNIT_PRICE),
        (row(invoice_no="A563186", stock_code="B", unit_price="-11062.06"), Reason.BAD_DEBT),
        (row(invoice_no="A563186"), Reason.BAD_DEBT),
        (row(stock_code="B"), Reason.BAD_DEBT),
        (row(stock_code="85123A?"), Reason.MALFORMED_STOCK_CODE),
        (row(stock_code="8" * 65), Reason.MALFORMED_STOCK_CODE),
        (row(unit_price="-1"), Reason.NEGATIVE_PRICE),
        (row(unit_price="0"), Reason.ZERO_PRICE),
        (row(unit_price="0.001"), Reason.PRICE_ROUNDS_TO_ZERO),
        (row(unit_price="0.005"), Reason.PRICE_ROUNDS_TO_ZERO),
        (row(quantity=0), Reason.ZERO_QUANTITY),
        (row(quantity=-1), Reason.NEGATIVE_QUANTITY),
        (row(quantity=1, invoice_no="C1"), Reason.POSITIVE_QUANTITY_IN_RETURN),
        (row(stock_code="POST", quantity=-1), Reason.NEGATIVE_QUANTITY),
    ],
)
def test_what_cannot_be_part_of_an_order_is_rejected_by_name(bad: object, reason: Reason) -> None:
    judged = classify(bad, 1)  # type: ignore[arg-type] # pytest's parameters are untyped
    assert isinstance(judged, Rejected)
    assert judged.reason == reason


def test_a_row_without_customer_description_and_country_is_a_guests_sale() -> None:
    assert isinstance(classify(row(customer_id=None, description=None, country=None), 1), Goods)


@pytest.mark.parametrize(
    ("price", "cents"), [("0.015", 2), ("0.025", 2), ("2.55", 255), ("0.0051", 1), ("13541.33", 1354133)]
)
def test_unit_prices_are_rounded_half_to_even(price: str, cents: int) -> None:
    judged = classify(row(unit_price=price, quantity=1), 1)
    assert isinstance(judged, Goods)
    assert judged.unit_price == cents


def test_a_rejected_row_without_price_counts_no_money() -> None:
    judged = classify(row(unit_price=None), 1)
    assert isinstance(judged, Rejected)
    assert judged.amount == 0
