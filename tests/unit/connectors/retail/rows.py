"""Rows for the tests, and a strategy of arbitrary ones."""

from decimal import Decimal

from hypothesis import strategies as st

from connectors.retail.row import Row

DECEMBER = 1_291_191_960_000  # 2010-12-01 08:26 UTC


def row(
    number: int = 1,
    *,
    invoice_no: str | None = "536365",
    stock_code: str | None = "85123A",
    description: str | None = "WHITE HANGING HEART T-LIGHT HOLDER",
    quantity: int | None = 6,
    at: int | None = DECEMBER,
    unit_price: str | None = "2.55",
    customer_id: str | None = "17850",
    country: str | None = "United Kingdom",
) -> Row:
    price = None if unit_price is None else Decimal(unit_price)
    return Row(number, invoice_no, stock_code, description, quantity, at, price, customer_id, country)


codes = st.sampled_from(["85123A", "85123a", "22423", "POST", "m", "D", "B", "S", "gift_0001_20", "PADS"])
prices = st.decimals(-1000, 20_000, places=4, allow_nan=False) | st.sampled_from(
    [Decimal(0), Decimal("0.001"), Decimal("0.005"), Decimal("0.015"), Decimal("2.55")]
)
arbitrary_rows = st.lists(
    st.builds(
        Row,
        number=st.integers(1, 10**6),
        invoice_no=st.none() | st.sampled_from(["536365", "C536379", "A563185", "536366", "c536380"]),
        stock_code=st.none() | codes,
        description=st.none() | st.text(max_size=12),
        quantity=st.none() | st.integers(-80_000, 80_000),
        at=st.none() | st.integers(DECEMBER, DECEMBER + 90 * 86_400_000),
        unit_price=st.none() | prices,
        customer_id=st.none() | st.just("17850"),
        country=st.none() | st.just("France"),
    ),
    max_size=40,
)
