"""Products on the driver: what the catalogue says, the stock believes."""

from schemas.cart import CartLine
from schemas.product import ProductCreate, ProductDelete, ProductUpdate
from tests.topology.shop import Shop
from topics.registry import (
    CHECKOUT_FAILED,
    ORDER_CONFIRMED,
    PRODUCT_CREATE,
    PRODUCT_CREATED,
    PRODUCT_DELETE,
    PRODUCT_REJECTED,
    PRODUCT_UPDATE,
)


async def test_the_price_of_the_moment_of_reservation_holds() -> None:
    async with Shop() as shop:
        await shop.stock("A", 10, price=100)
        await shop.fill("cart", CartLine("A", "A", 1))
        await shop.say(PRODUCT_UPDATE, "A", ProductUpdate(price=120), user_id="staff")
        await shop.buy("cart", "order")
        assert shop.only(ORDER_CONFIRMED).data.total == 120
        shop.check()


async def test_a_product_off_sale_cannot_be_bought_until_it_is_back() -> None:
    async with Shop() as shop:
        await shop.stock("A", 10)
        await shop.fill("cart", CartLine("A", "A", 1))
        await shop.say(PRODUCT_DELETE, "A", ProductDelete("recall"), user_id="staff")
        await shop.buy("cart", "order")
        assert shop.only(CHECKOUT_FAILED).data.reason == "discontinued"
        await shop.say(PRODUCT_CREATE, "A", ProductCreate("Product A", 100, "GBP"), user_id="staff")
        await shop.buy("cart", "order-2")
        assert shop.only(ORDER_CONFIRMED).aggregate_id == "order-2"
        assert [created.aggregate_version for created in shop.events(PRODUCT_CREATED)] == [1, 3]
        shop.check()


async def test_an_unsound_product_is_refused() -> None:
    async with Shop() as shop:
        await shop.say(PRODUCT_CREATE, "A", ProductCreate("", 100, "GBP"), user_id="staff")
        assert (shop.only(PRODUCT_REJECTED).data.reason, shop.only(PRODUCT_REJECTED).data.field) == (
            "invalid_name",
            "name",
        )
