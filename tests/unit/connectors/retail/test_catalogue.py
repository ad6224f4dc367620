import pytest

from connectors.retail.catalogue import catalogue
from connectors.retail.categories import FALLBACK, RULES, category
from connectors.retail.invoices import invoices
from connectors.retail.names import display_name
from tests.unit.connectors.retail.rows import DECEMBER, row

MONTH = 31 * 86_400_000


def test_a_product_has_its_commonest_description_latest_sale_price_and_needs_per_month() -> None:
    rows = [
        row(1, description="WHITE HEART"),
        row(2, description="WHITE HEART"),
        row(3, description="WRONG", stock_code="85123a"),
        row(4, invoice_no="2", at=DECEMBER + MONTH, unit_price="2.95", quantity=10),
        row(5, invoice_no="C3", at=DECEMBER + 2 * MONTH, unit_price="1.00", quantity=-5),
        row(6, invoice_no="4", at=DECEMBER + 2 * MONTH, unit_price="0", description="damaged"),
    ]
    (product,) = catalogue(invoices(rows)).values()
    assert product.sku == "85123A"
    assert product.description == "WHITE HEART"
    assert product.name == "White Heart"
    assert product.price == 295
    assert product.needs == {"2010-12": 18, "2011-01": 10}


def test_goods_that_were_only_returned_take_the_returns_price() -> None:
    (product,) = catalogue(invoices([row(invoice_no="C1", quantity=-1, description=None)])).values()
    assert (product.price, product.name, product.needs) == (255, "85123A", {})


def test_charges_and_goods_that_never_had_a_price_are_no_products() -> None:
    assert catalogue(invoices([row(unit_price="0"), row(stock_code="POST")])) == {}


@pytest.mark.parametrize(
    ("description", "name"),
    [
        ("WHITE HANGING HEART T-LIGHT HOLDER", "White Hanging Heart T-Light Holder"),
        ("SET OF 6  SOLDIER SKITTLES", "Set of 6 Soldier Skittles"),
        ("BAG 125g SWIRLY MARBLES", "Bag 125g Swirly Marbles"),
        ("*USB OFFICE MIRROR BALL", "USB Office Mirror Ball"),
        ("50'S CHRISTMAS GIFT BAG", "50's Christmas Gift Bag"),
        ("BLACK TEA,COFFEE,SUGAR JARS", "Black Tea,Coffee,Sugar Jars"),
        ("SILVER/M.O.P PENDANT", "Silver/M.O.P Pendant"),
        ('LETTER "N" BLING KEY RING', 'Letter "N" Bling Key Ring'),
        ("THE KING GIFT BAG.", "The King Gift Bag"),
    ],
)
def test_names_are_readable(description: str, name: str) -> None:
    assert display_name(description) == name


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        ("WHITE HANGING HEART T-LIGHT HOLDER", "Lighting & Candles"),
        ("CHRISTMAS TREE T-LIGHT HOLDER", "Christmas"),
        ("JUMBO BAG STRAWBERRY", "Bags & Purses"),
        ("VINTAGE BILLBOARD LOVE/HATE MUG", "Kitchen & Dining"),
        ("HOT WATER BOTTLE TEA AND SYMPATHY", "Bath & Beauty"),
        ("12 PENCILS TALL TUBE RED RETROSPOT", "Stationery & Cards"),
        ("jigsaw toadstools 3 piece", "Toys & Children"),
        ("SWISS CHALET", FALLBACK),
        ("CARDIGAN", FALLBACK),
    ],
)
def test_the_first_rule_with_a_word_of_the_description_decides(description: str, expected: str) -> None:
    assert category(description) == expected


def test_every_rule_is_reachable_by_its_own_first_word() -> None:
    for name, words in RULES.items():
        assert category(words.split()[0].replace("_", " ")) == name
