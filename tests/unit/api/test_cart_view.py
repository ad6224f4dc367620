"""Carts looked up in Redis are counted: found, not found, or Redis away."""

from typing import Any, cast

import pytest
from prometheus_client import REGISTRY
from redis.exceptions import ConnectionError as NotConnectedError

from api.cart.view import RedisCarts
from api.problems import Problem
from sinks.cart.projectors import cart_value
from tests.unit.sinks.messages import cart, event, uid
from topics.registry import CART_UPDATED

CART = uid("cart")


class Keys:
    def __init__(self, *, up: bool = True) -> None:
        (value,) = cart_value(event(CART_UPDATED, CART, 3, cart("a")))
        self._held = {value.key: value.json}
        self._up = up

    async def get(self, key: str) -> str | None:
        if not self._up:
            raise NotConnectedError("refused")
        return self._held.get(key)


def counted() -> dict[str, float]:
    results = ("hit", "miss", "off")
    return {each: REGISTRY.get_sample_value("api_cart_view_total", {"result": each}) or 0 for each in results}


async def test_carts_that_are_looked_up_are_counted() -> None:
    before = counted()
    carts = RedisCarts(cast("Any", Keys()))
    found = await carts.read(CART)
    assert found is not None
    assert (found.version, [line.sku for line in found.state.lines]) == (3, ["a"])
    assert await carts.read(uid("another")) is None
    with pytest.raises(Problem):
        await RedisCarts(cast("Any", Keys(up=False))).read(CART)
    assert {each: now - before[each] for each, now in counted().items()} == {"hit": 1, "miss": 1, "off": 1}
