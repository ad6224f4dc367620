"""The pages of orders: who sees them, and that one goes on listening until it has told the end itself."""

from uuid import uuid4

import httpx
import pytest

from api.auth.caller import Caller
from schemas.order import OrderStatus
from tests.unit.api.conftest import World
from tests.unit.api.test_progress import ORDER, shown

GUEST = {"X-Cart-Id": str(uuid4())}


@pytest.mark.parametrize(("events", "live"), [(2, True), (3, False)], ids=["behind", "abreast"])
async def test_the_page_listens_while_its_steps_are_behind_the_order(
    client: httpx.AsyncClient, world: World, events: int, *, live: bool
) -> None:
    states = (OrderStatus.PLACED, OrderStatus.CONFIRMED, OrderStatus.CANCELLED)
    for version, status in enumerate(states, start=1):
        shown(world, Caller(guest_cart=world.cart_of(GUEST)), status, version)
    del world.orders.told[events:]
    page = (await client.get(f"/orders/{ORDER}", headers=GUEST)).text
    assert '<span class="status cancelled">cancelled</span>' in page
    assert ("sse-connect" in page) == live


async def test_the_page_listens_while_the_order_is_behind_its_steps(
    client: httpx.AsyncClient, world: World
) -> None:
    """Else its contents would stay as they were before the view had them: without prices."""
    owner = Caller(guest_cart=world.cart_of(GUEST))
    shown(world, owner, OrderStatus.PLACED, 1)
    placed = world.orders.known[ORDER]
    shown(world, owner, OrderStatus.CANCELLED, 2)
    assert "sse-connect" not in (await client.get(f"/orders/{ORDER}", headers=GUEST)).text
    world.orders.known[ORDER] = placed
    page = (await client.get(f"/orders/{ORDER}", headers=GUEST)).text
    assert f'sse-connect="/orders/{ORDER}/progress?after=1"' in page


async def test_orders_are_for_whoever_bought_them_and_a_log_in_tells_who(
    client: httpx.AsyncClient, world: World
) -> None:
    nobody: dict[str, str] = {}
    for headers in (nobody, GUEST):
        for path in ("/orders", f"/orders/{ORDER}"):
            led = await client.get(path, headers=headers)
            back = path.replace("/", "%2F")
            assert (led.status_code, led.headers["location"]) == (303, f"/login?next={back}")
    assert "Log in to see your orders" in (await client.get("/login?next=/orders")).text
    user = world.authorised()
    assert "No orders yet" in (await client.get("/orders", headers=user)).text
    assert (await client.get(f"/orders/{ORDER}", headers=user)).status_code == 404
    shown(world, Caller(guest_cart=world.cart_of(GUEST)), OrderStatus.PLACED, 1)
    assert ORDER[:8] in (await client.get("/orders", headers=GUEST)).text
    assert (await client.get(f"/orders/{ORDER}", headers=GUEST)).status_code == 200
