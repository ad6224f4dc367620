"""The purchase path when nothing comes in order: doubled, late, shuffled across topics, through crashes.

The seed is the test's parameter, so a failing run is named by its own id and replays exactly.
"""

import random

import pytest

from schemas.cart import CartLine, CartMerge
from schemas.order import OrderAdvance, OrderCancel, OrderStatus
from streams.kernel.memory import Step
from streams.kernel.ports import Output
from tests.topology.shop import MINUTE, Shop
from topics.registry import (
    CART_MERGE,
    CHECKOUT_COMPLETED,
    CHECKOUT_FAILED,
    ORDER_ADVANCE,
    ORDER_CANCEL,
    ORDER_CANCELLED,
    ORDER_CONFIRMED,
    PAYMENT_INSTRUCT,
)

SHOPPERS = 6
SKUS = ("A", "B", "C")
TOKENS = ("tok_visa", "tok_visa", "tok_visa", "tok_declined", "tok_uncaptured")
SEEDS = range(40)


def line(sku: str, quantity: int = 1) -> CartLine:
    return CartLine(sku, sku, quantity)


async def test_every_message_twice_has_the_effect_of_once() -> None:
    async with Shop(doubled=True) as shop:
        await shop.stock("A", 3)
        await shop.stock("B", 10)
        await shop.fill("guest", line("B"))
        await shop.fill("cart-ann", line("A", 2), user_id="ann")
        await shop.say(CART_MERGE, "guest", CartMerge("cart-ann"), user_id="ann")
        await shop.buy("cart-ann", "order-ann", user_id="ann", expected_lines=2)
        await shop.fill("cart-bob", line("A", 2), user_id="bob")
        await shop.buy("cart-bob", "order-bob", user_id="bob")
        await shop.fill("cart-cy", line("B"), user_id="cy")
        await shop.buy("cart-cy", "order-cy", token="tok_declined", user_id="cy")
        await shop.say(ORDER_ADVANCE, "order-ann", OrderAdvance(OrderStatus.PROCESSING), user_id="staff")
        await shop.advance(20 * MINUTE)
        assert shop.status("order-ann") is OrderStatus.PROCESSING
        assert shop.only(ORDER_CONFIRMED).data.total == 300
        assert {order.data.reason for order in shop.events(ORDER_CANCELLED)} == {
            "out_of_stock",
            "payment_failed",
        }
        assert shop.account("order-ann").captured == 300
        shop.check()


@pytest.mark.parametrize("step", list(Step))
@pytest.mark.parametrize("wipe", [False, True], ids=["disk kept", "disk lost"])
async def test_a_crash_at_any_step_changes_nothing(step: Step, wipe: bool) -> None:  # noqa: FBT001 - parametrized
    async with Shop() as shop:
        await shop.stock("A", 10)
        for name in ("one", "two", "three"):
            await shop.fill(name, line("A"), settle=False)
            shop.driver.crash_at(step, wipe=wipe)
            await shop.buy(name, f"order-{name}")
        assert shop.driver.crashes >= 3
        assert len(shop.events(ORDER_CONFIRMED)) == 3
        shop.check()


@pytest.mark.parametrize("seed", SEEDS)
async def test_any_schedule_ends_every_checkout_once(seed: int) -> None:
    rng = random.Random(seed)
    async with Shop(partitions=3) as shop:
        await open_shop(shop, rng)
        await shop_wildly(shop, rng)
        await wander(shop, rng)
        shop.provider.up = shop.answering = True
        await shop.settle()
        await shop.advance(120 * MINUTE)
        shop.check()
        ended = shop.events(CHECKOUT_COMPLETED) + shop.events(CHECKOUT_FAILED)
        assert len(ended) == SHOPPERS


async def open_shop(shop: Shop, rng: random.Random) -> None:
    for sku in SKUS:
        await shop.stock(sku, rng.randint(1, 12), price=rng.randint(1, 500))


async def shop_wildly(shop: Shop, rng: random.Random) -> None:
    """Send all commands at once; which of them comes first is the schedule's choice."""
    for number in range(SHOPPERS):
        who, cart_id, order_id = f"user-{number}", f"cart-{number}", f"order-{number}"
        chosen = rng.sample(SKUS, rng.randint(1, 3))
        for sku in chosen:
            await shop.fill(cart_id, line(sku, rng.randint(1, 3)), user_id=who, settle=False)
        if rng.random() < 0.3:
            await shop.fill(f"guest-{number}", line("A"), settle=False)
            await shop.say(CART_MERGE, f"guest-{number}", CartMerge(cart_id), user_id=who, settle=False)
        await shop.buy(
            cart_id,
            order_id,
            token=rng.choice(TOKENS),
            user_id=who,
            expected_lines=len(chosen),
            settle=False,
        )


async def wander(shop: Shop, rng: random.Random) -> None:
    """Let one random thing after another happen, until everybody has grown tired."""
    for _ in range(400):
        shop.driver.now += rng.randint(0, 50)
        places = shop.driver.ready()
        chance = rng.random()
        if chance < 0.05:
            repeat(shop, rng)
        elif chance < 0.08:
            shop.driver.crash_at(rng.choice(list(Step)), wipe=rng.random() < 0.3)
        elif chance < 0.11:
            shop.provider.up = not shop.provider.up
        elif chance < 0.15:
            await meddle(shop, rng)
        elif chance < 0.3 and len(shop.driver.events(PAYMENT_INSTRUCT)):
            await shop.answer(rng.randint(1, 2))
        elif places:
            await shop.driver.deliver(rng.choice(places), rng.randint(1, 4))


def repeat(shop: Shop, rng: random.Random) -> None:
    """Let a record of any time come again."""
    record = rng.choice(shop.driver.log.arrived)
    shop.driver.log.append(Output(record.topic, record.key, record.value, ()), shop.driver.now)


async def meddle(shop: Shop, rng: random.Random) -> None:
    """Have a shopper cancel, or staff move an order on."""
    number = rng.randrange(SHOPPERS)
    order_id = f"order-{number}"
    if rng.random() < 0.4:
        await shop.say(
            ORDER_CANCEL, order_id, OrderCancel("changed my mind"), user_id=f"user-{number}", settle=False
        )
    else:
        target = rng.choice(
            (OrderStatus.PROCESSING, OrderStatus.SHIPPED, OrderStatus.DELIVERED, OrderStatus.REFUNDED)
        )
        await shop.say(ORDER_ADVANCE, order_id, OrderAdvance(target), user_id="staff", settle=False)
