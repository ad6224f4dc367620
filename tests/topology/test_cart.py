"""Carts on the driver: time, merges that are overtaken, and lives after the first."""

from schemas.cart import CartClear, CartLine, CartMerge, CartStatus
from tables.cart import CART
from tests.topology.shop import DAY, MINUTE, Shop
from topics.registry import (
    CART_ABANDONED,
    CART_ADD,
    CART_CLEAR,
    CART_MERGE,
    CART_REJECTED,
    CART_UPDATED,
    CHECKOUT_STARTED,
)


def line(sku: str, quantity: int = 1) -> CartLine:
    return CartLine(sku, sku, quantity)


async def test_an_idle_cart_is_abandoned_and_then_forgotten() -> None:
    async with Shop() as shop:
        await shop.fill("cart", line("A", 2), user_id="ann")
        await shop.driver.advance(4 * DAY)
        await shop.fill("cart", line("B"), user_id="ann")
        await shop.driver.advance(6 * DAY)
        assert shop.events(CART_ABANDONED) == []
        await shop.driver.advance(DAY)
        abandoned = shop.only(CART_ABANDONED)
        assert (abandoned.data.lines, abandoned.data.user_id) == ((line("A", 2), line("B")), "ann")
        assert shop.events(CART_UPDATED)[-1].data.status is CartStatus.EXPIRED
        await shop.driver.advance(DAY)
        assert shop.driver.table(CART) == {}
        shop.check()


async def test_a_cart_born_again_goes_on_above_its_former_versions() -> None:
    async with Shop() as shop:
        for _ in range(3):
            await shop.fill("cart", line("A"))
            await shop.say(CART_CLEAR, "cart", CartClear())
            await shop.driver.advance(2 * DAY)
            assert shop.driver.table(CART) == {}
        versions = [message.aggregate_version for message in shop.events(CART_UPDATED)]
        assert versions == sorted(set(versions))
        assert len(versions) == 6


async def test_a_line_added_before_the_login_but_late_follows_its_cart() -> None:
    async with Shop() as shop:
        await shop.fill("guest", line("A"))
        await shop.fill("guest", line("B"), settle=False)
        late = [place for place in shop.driver.ready() if place.topic == CART_ADD.name]
        shop.driver.now += 1
        await shop.say(CART_MERGE, "guest", CartMerge("cart-ann"), user_id="ann", settle=False)
        for place in shop.driver.ready():
            if place not in late:
                await shop.driver.deliver(place)
        await shop.settle()
        assert set(shop.driver.table(CART)["cart-ann"].lines) == {line("A"), line("B")}
        assert shop.driver.table(CART)["guest"].lines == ()
        shop.check()


async def test_a_guest_who_logs_in_during_a_checkout_loses_nothing() -> None:
    async with Shop() as shop:
        await shop.stock("A", 5)
        await shop.fill("cart-ann", line("A"), user_id="ann")
        await shop.fill("guest", line("B"))
        shop.answering = False
        await shop.buy("cart-ann", "order", user_id="ann")
        await shop.say(CART_MERGE, "guest", CartMerge("cart-ann"), user_id="ann")
        assert shop.only(CHECKOUT_STARTED).data.lines == (line("A"),)
        shop.answering = True
        await shop.advance(MINUTE)
        assert shop.driver.table(CART)["cart-ann"].lines == (line("B"),)
        shop.check()


async def test_a_refusal_says_why_and_changes_nothing() -> None:
    async with Shop() as shop:
        await shop.fill("cart", line("A"), user_id="ann")
        await shop.fill("cart", line("B", -1), user_id="ann")
        await shop.fill("cart", line("C"), user_id="bob")
        assert [(said.data.reason, said.data.field) for said in shop.events(CART_REJECTED)] == [
            ("invalid_quantity", "lines.quantity"),
            ("forbidden", "user_id"),
        ]
        assert shop.driver.table(CART)["cart"].lines == (line("A"),)
