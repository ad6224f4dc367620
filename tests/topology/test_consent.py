"""What a buyer confirms is what is charged, or nothing is."""

from collections.abc import AsyncIterator

import pytest

from schemas.cart import CartLine, CartMerge, CartStatus
from schemas.checkout import Consent
from schemas.order import OrderStatus
from schemas.product import ProductCreate, ProductDelete, ProductUpdate
from tables.cart import CART
from tests.topology.shop import Shop
from topics.registry import (
    CART_MERGE,
    CHECKOUT_FAILED,
    CHECKOUT_STARTED,
    ORDER_CANCELLED,
    ORDER_CONFIRMED,
    PAYMENT_INSTRUCT,
    PRODUCT_CREATE,
    PRODUCT_CREATED,
    PRODUCT_DELETE,
    PRODUCT_UPDATE,
)


def line(sku: str, quantity: int = 1, **more: int) -> CartLine:
    return CartLine(sku, sku, quantity, **more)


def version(shop: Shop, cart_id: str = "cart") -> int:
    return shop.driver.table(CART)[cart_id].version


@pytest.fixture(params=[False, True], ids=["once", "doubled"])
async def shop(request: pytest.FixtureRequest) -> AsyncIterator[Shop]:
    """Return a shop with 2 pieces of A at 10.00 and one of B at 5.00 in the cart; shown is 25.00."""
    async with Shop(doubled=request.param) as opened:
        await opened.stock("A", 10, price=1000)
        await opened.stock("B", 10, price=500)
        await opened.fill("cart", line("A", 2), line("B"))
        yield opened


async def reprice(shop: Shop, sku: str, price: int) -> None:
    await shop.say(PRODUCT_UPDATE, sku, ProductUpdate(price=price))


async def test_the_total_that_was_shown_is_charged(shop: Shop) -> None:
    await shop.buy("cart", "order", consent=Consent(version(shop), 2500))
    assert shop.only(ORDER_CONFIRMED).data.consented == 2500
    assert shop.account("order").captured == 2500
    shop.check()


@pytest.mark.parametrize("price", [900, 99_900])
async def test_another_price_than_shown_charges_nothing_and_the_cart_can_be_bought_anew(
    shop: Shop, price: int
) -> None:
    shown = version(shop)
    await reprice(shop, "A", price)
    await shop.buy("cart", "order", consent=Consent(shown, 2500))
    refused = shop.only(ORDER_CANCELLED).data
    total = 2 * price + 500
    assert (refused.reason, refused.consented, refused.total) == ("price_changed", 2500, total)
    assert [(line.sku, line.unit_price) for line in refused.lines] == [("A", price), ("B", 500)]
    assert shop.only(CHECKOUT_FAILED).data.reason == "price_changed"
    assert shop.events(PAYMENT_INSTRUCT) == []
    cart = shop.driver.table(CART)["cart"]
    assert (cart.status, cart.lines) == (CartStatus.OPEN, (line("A", 2), line("B")))
    shop.check()
    await shop.buy("cart", "again", consent=Consent(shown, total))
    assert shop.account("again").captured == total
    shop.check()


async def test_what_another_tab_put_in_is_not_bought_unseen(shop: Shop) -> None:
    shown = version(shop)
    await shop.stock("C", 10, price=7000)
    await shop.fill("cart", line("C"))
    await shop.buy("cart", "order", consent=Consent(shown, 2500))
    await shop.buy("cart", "waiting", consent=Consent(shown, 2500), expected_lines=2)
    assert [message.data.reason for message in shop.events(CHECKOUT_FAILED)] == ["cart_changed"] * 2
    assert shop.events(CHECKOUT_STARTED) == []
    await shop.buy("cart", "seen", consent=Consent(version(shop), 9500))
    assert shop.status("seen") is OrderStatus.CONFIRMED
    shop.check()


async def test_lines_of_another_tab_that_make_up_the_number_still_cost_what_was_not_shown(shop: Shop) -> None:
    await shop.stock("C", 10, price=7000)
    await shop.buy("cart", "order", consent=Consent(version(shop), 3000), expected_lines=3)
    await shop.fill("cart", line("C"))
    assert shop.only(CHECKOUT_FAILED).data.reason == "price_changed"
    shop.check()


async def test_a_declined_card_leaves_what_was_shown_buyable(shop: Shop) -> None:
    shown = Consent(version(shop), 2500)
    await shop.buy("cart", "declined", token="tok_declined", consent=shown)
    await shop.buy("cart", "paid", consent=shown)
    assert [shop.status(order) for order in ("declined", "paid")] == [
        OrderStatus.CANCELLED,
        OrderStatus.CONFIRMED,
    ]
    shop.check()


async def test_a_total_of_another_currency_than_the_goods_is_never_charged(shop: Shop) -> None:
    await shop.buy("cart", "order", consent=Consent(version(shop), 2500), currency="EUR")
    assert shop.only(CHECKOUT_FAILED).data.reason == "currency_mismatch"
    shop.check()


async def test_a_product_made_anew_under_the_same_sku_is_another_product(shop: Shop) -> None:
    born = shop.events(PRODUCT_CREATED)[0].data.created_at
    await shop.fill("other", line("A", 1, incarnation=born))
    await shop.driver.advance(1000)
    await shop.say(PRODUCT_DELETE, "A", ProductDelete())
    await shop.say(PRODUCT_CREATE, "A", ProductCreate("Another A", 1000, "GBP"))
    reborn = shop.events(PRODUCT_CREATED)[-1].data.created_at
    await shop.buy("other", "order", consent=Consent(version(shop, "other"), 1000))
    refused = shop.only(ORDER_CANCELLED).data
    assert (refused.reason, refused.sku) == ("product_replaced", "A")
    assert shop.events(PAYMENT_INSTRUCT) == []
    await shop.fill("other", line("A", 2, incarnation=reborn))
    await shop.buy("other", "renewed", consent=Consent(version(shop, "other"), 2000))
    assert shop.status("renewed") is OrderStatus.CONFIRMED
    assert shop.only(ORDER_CONFIRMED).data.lines[0].quantity == 2
    shop.check()


async def test_a_guest_who_logs_in_while_paying_keeps_the_cart(shop: Shop) -> None:
    shop.answering = False
    await shop.buy("cart", "order", token="tok_declined", consent=Consent(version(shop), 2500))
    await shop.say(CART_MERGE, "cart", CartMerge("cart-ann"), user_id="ann")
    shop.answering = True
    await shop.settle()
    carts = shop.driver.table(CART)
    assert carts["cart"].status is CartStatus.MERGED
    assert (carts["cart-ann"].lines, carts["cart-ann"].user_id) == ((line("A", 2), line("B")), "ann")
    shop.check()
