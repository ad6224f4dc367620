from connectors.retail.catalogue import Product
from deploy.demo.stocking import product_commands, receipts, shown
from schemas.inventory import InventoryReceive
from schemas.product import ProductCreate, ProductUpdate
from topics.wire import encode

PRODUCT = Product("22423", "Cakestand", "CAKESTAND", "Kitchen & Dining", 1095, {"2010-12": 30, "2011-02": 7})


def test_a_product_that_is_not_on_sale_is_created() -> None:
    (out,) = product_commands([PRODUCT], {}, "GBP")
    assert out.message.data == ProductCreate(
        name="Cakestand",
        price=1095,
        currency="GBP",
        description="CAKESTAND",
        categories=("Kitchen & Dining",),
    )
    assert encode(out.topic, out.message)


def test_a_product_that_is_on_sale_is_left_alone_or_updated() -> None:
    assert list(product_commands([PRODUCT], {"22423": shown(PRODUCT)}, "GBP")) == []
    cheaper = ("Cakestand", "CAKESTAND", "Kitchen & Dining", 999)
    (out,) = product_commands([PRODUCT], {"22423": cheaper}, "GBP")
    assert isinstance(out.message.data, ProductUpdate)
    assert out.message.data.price == 1095


def test_a_months_receipt_covers_its_need_once() -> None:
    (opening,) = receipts([PRODUCT], "2010-12")
    (restock,) = receipts([PRODUCT], "2011-02")
    assert list(receipts([PRODUCT], "2011-01")) == []
    (again,) = receipts([PRODUCT], "2010-12")
    assert opening.message.data == again.message.data
    assert isinstance(opening.message.data, InventoryReceive)
    assert (opening.message.data.quantity, opening.message.data.reason) == (30, "opening")
    assert (restock.message.data.quantity, restock.message.data.reason) == (7, "purchase")
    assert opening.message.data.receipt_id != restock.message.data.receipt_id
