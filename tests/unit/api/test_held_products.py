"""Products that are held by the process: for a moment, never older than what was heard."""

from collections.abc import Iterable
from typing import Any

import msgspec
import pytest

from api.product.held import HeldCatalogue
from api.product.models import Product
from schemas.product import ProductSnapshot
from tests.unit.api.fakes import FakeCatalogue, product
from topics.command import command
from topics.registry import PRODUCT_UPDATED
from topics.wire import encode


class Behind(FakeCatalogue):
    """Notes what it is asked."""

    def __init__(self, *products: Product) -> None:
        super().__init__(*products)
        self.readings: list[list[str]] = []

    async def products(self, skus: Iterable[str]) -> dict[str, Product]:
        wanted = list(skus)
        self.readings.append(wanted)
        return await super().products(wanted)


class Clock:
    """A clock that is set."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def behind() -> Behind:
    return Behind(product("A"), product("B"), product("C"))


@pytest.fixture
def held(behind: Behind, clock: Clock) -> HeldCatalogue:
    return HeldCatalogue(behind, seconds=0.5, most=2, clock=clock)


def updated(sku: str, version: int) -> tuple[Any, bytes, bytes]:
    data = ProductSnapshot("A", "", (), 1, "GBP", 0, active=True, created_at=1, updated_at=1)
    message = msgspec.structs.replace(command(PRODUCT_UPDATED, sku, data), aggregate_version=version)
    return PRODUCT_UPDATED, sku.encode(), encode(PRODUCT_UPDATED, message)


async def test_what_was_read_a_moment_ago_is_not_read_again(
    held: HeldCatalogue, behind: Behind, clock: Clock
) -> None:
    assert await held.product("A") == product("A")
    assert await held.products(["A", "B", "A", "NONE"]) == {"A": product("A"), "B": product("B")}
    assert await held.product("B") == product("B")
    assert behind.readings == [["A"], ["B", "NONE"]]
    clock.now += 0.5
    assert await held.product("A") == product("A")
    assert behind.readings[2:] == [["A"]]


async def test_only_so_many_are_held(held: HeldCatalogue, behind: Behind) -> None:
    for sku in "ABCABC":
        await held.product(sku)
    assert len(behind.readings) == 6
    assert len(held._held) == 2


async def test_what_is_heard_drops_what_is_held_and_nothing_older_is_held_again(
    held: HeldCatalogue, behind: Behind
) -> None:
    await held.product("A")
    held.hear(*updated("A", 2))
    for _ in range(2):
        assert await held.product("A") == product("A"), "the views have not followed yet"
    assert len(behind.readings) == 3
    behind.known["A"] = product("A", price=1).model_copy(update={"version": 2})
    for _ in range(2):
        found = await held.product("A")
        assert found is not None
        assert found.price == 1
    assert len(behind.readings) == 4


async def test_an_event_that_cannot_be_read_drops_what_is_held(held: HeldCatalogue, behind: Behind) -> None:
    await held.product("A")
    held.hear(PRODUCT_UPDATED, b"A", b"not decodable")
    await held.product("A")
    assert len(behind.readings) == 2


async def test_what_is_heard_while_it_is_read_is_not_overlooked(clock: Clock) -> None:
    class Slow(Behind):
        async def products(self, skus: Iterable[str]) -> dict[str, Product]:
            found = await super().products(skus)
            catalogue.hear(*updated("A", 2))
            return found

    slow = Slow(product("A"))
    catalogue = HeldCatalogue(slow, clock=clock)
    await catalogue.product("A")
    await catalogue.product("A")
    assert len(slow.readings) == 2
