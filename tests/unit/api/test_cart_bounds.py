"""What one shopper's cart may cost: lines, carts begun, and the answers that are kept of it."""

from uuid import uuid4

import pytest

from api.auth.caller import cart_of_user
from api.cart.view import CartState
from api.problems import unavailable
from api.settings import ApiSettings
from schemas.cart import CartLine, CartStatus, CartUpdated
from tests.unit.api.conftest import World
from tests.unit.api.test_shares import ITEM, PLACE, calling, guest
from topics.registry import CART_MERGE, CART_UPDATED


@pytest.fixture
def limits() -> ApiSettings:
    return ApiSettings(new_carts="5/minute", cart_lines=200, kept_answer_bytes=1024, follow_seconds=5)


def filled(count: int) -> CartUpdated:
    lines = tuple(CartLine(f"SKU-{number}", f"SKU-{number}", 1) for number in range(count))
    return CartUpdated(CartStatus.OPEN, lines, None, None, 1)


async def test_a_full_cart_takes_no_other_product_and_more_of_its_own(
    world: World, limits: ApiSettings
) -> None:
    me = guest()
    world.carts.known[world.cart_of(me)] = CartState(filled(199), 1)
    async with calling(world, limits, "10.0.0.1") as client:
        assert (await client.post(PLACE, json=ITEM, headers=me)).status_code == 202
        world.carts.known[world.cart_of(me)] = CartState(filled(200), 2)
        answer = await client.post(PLACE, json=ITEM, headers=me)
        assert (answer.status_code, answer.json()["reason"]) == (409, "cart_full")
        lines = (*filled(199).lines, CartLine("A", "A", 1))
        world.carts.known[world.cart_of(me)] = CartState(
            CartUpdated(CartStatus.OPEN, lines, None, None, 1), 3
        )
        assert (await client.post(PLACE, json=ITEM, headers=me)).status_code == 202
    await world.services.commands.close()


async def test_a_client_begins_only_so_many_carts(world: World, limits: ApiSettings) -> None:
    old = guest()
    world.carts.known[world.cart_of(old)] = CartState(filled(1), 1)
    async with calling(world, limits, "10.0.0.1") as client, calling(world, limits, "10.0.0.2") as neighbour:
        begun = [await client.post(PLACE, json=ITEM, headers=guest()) for _ in range(3)]
        begun += [await client.post(PLACE, json=ITEM) for _ in range(4)]
        assert [answer.status_code for answer in begun] == [202] * 5 + [429] * 2
        assert begun[-1].json()["reason"] == "new_carts_of_a_client"
        assert (await client.post(PLACE, json=ITEM, headers=old)).status_code == 202
        assert (await neighbour.post(PLACE, json=ITEM)).status_code == 202
    await world.services.commands.close()


async def test_shopping_goes_on_while_the_store_of_carts_is_away(
    world: World, limits: ApiSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_cart: str) -> CartState | None:
        raise unavailable("the store of carts")

    monkeypatch.setattr(world.carts, "read", away)
    async with calling(world, limits, "10.0.0.1") as client:
        assert (await client.post(PLACE, json=ITEM, headers=guest())).status_code == 202
    assert await world.services.carts.merge(str(uuid4()), str(uuid4()))
    await world.services.commands.close()


async def test_log_ins_do_not_fill_a_users_cart_beyond_the_limit(world: World) -> None:
    user = str(uuid4())
    world.carts.known[cart_of_user(user)] = CartState(filled(200), 1)
    assert await world.services.carts.merge(str(uuid4()), user) is None
    assert CART_MERGE not in [topic for topic, *_ in world.broker.sent]


@pytest.mark.parametrize(("lines", "again"), [(20, 200), (180, 409)])
async def test_kept_answers_are_small_however_large_the_cart_is(
    world: World, limits: ApiSettings, lines: int, again: int
) -> None:
    me = {**guest(), "Prefer": "wait=5", "Idempotency-Key": "once"}
    world.broker.reply = lambda message: [(CART_UPDATED, message.aggregate_id, filled(lines), 7)]
    async with calling(world, limits, "10.0.0.1") as client:
        first = await client.patch(f"{PLACE}/SKU-1", json={"quantity": 2}, headers=me)
        assert (first.status_code, len(first.content) > 1024) == (200, True)
        kept = [value for name, value in world.redis.values.items() if "idempotency" in name]
        assert len(kept) == 1
        assert len(kept[0]) < 1024 + 300
        second = await client.patch(f"{PLACE}/SKU-1", json={"quantity": 2}, headers=me)
    assert second.status_code == again
    assert second.headers["Idempotency-Replayed"] == "true"
    if again == 200:
        assert second.content == first.content
        assert second.headers["ETag"] == first.headers["ETag"]
    else:
        assert second.headers["content-type"] == "application/problem+json"
        assert second.json()["type"] == "urn:ecommerce:problem:answer-not-kept"
    assert len([message for _, _, message in world.broker.sent]) == 1
