"""The cart step: `cart.add` commands in, table change, the whole cart out; 10,000 carts."""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Sequence
from functools import partial
from typing import Any

import msgspec

from schemas.cart import CartAdd, CartLine
from streams.cart.agent import FLOW
from tests.bench import loads
from tests.bench.broker import Parcel
from tests.bench.contest import BASELINES, Came, as_json, baseline_entry, flow_entry, measure, source
from tests.bench.ground import ground
from tests.bench.step import Case, InvariantError, Options, Sample, Step
from topics.admin import create
from topics.command import command
from topics.registry import CART_ADD, CART_REJECTED, CART_UPDATED, TOPICS
from topics.wire import decode, encode

CARTS = tuple(f"cart-{number:05}" for number in range(10_000))
SKUS = tuple(f"SKU-{number:02}" for number in range(50))
COUNTS = {"candidate": 30_000, "faust": 4_000, "quix": 30_000, "raw": 30_000}


def adds(name: str, keys: Sequence[str]) -> Iterator[Parcel]:
    """Yield a command per key that adds one piece of some SKU."""
    for number, key in enumerate(keys):
        sku = SKUS[number % len(SKUS)]
        message = command(CART_ADD, key, CartAdd((CartLine(sku, sku, 1),)), source="bench")
        if name == "candidate":
            yield CART_ADD.name, key.encode(), encode(CART_ADD, message)
        else:
            yield source("cart", name), key.encode(), as_json(msgspec.to_builtins(message))


class Pieces:
    """How many pieces a contender's carts must hold, and do."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._asked: Counter[str] = Counter()
        self._held: dict[str, tuple[int, int]] = {}

    def check(self, came: Sequence[Came], keys: Sequence[str]) -> None:
        """Account for one round. Raises InvariantError where a cart's last state is not what was added."""
        if self._name == "raw":
            return
        self._asked.update(keys)
        for topic, key, value in came:
            fields = self._fields(topic, value)
            pieces = sum(line["quantity"] for line in fields["data"]["lines"])
            cart = key.decode()
            self._held[cart] = max(self._held.get(cart, (0, 0)), (fields["aggregate_version"], pieces))
        for cart, asked in self._asked.items():
            held = self._held.get(cart, (0, 0))[1]
            if held != asked:
                raise InvariantError(f"{self._name}: {cart} holds {held} pieces of {asked}")

    def _fields(self, topic: str, value: bytes) -> Any:
        if self._name == "candidate":
            return msgspec.to_builtins(decode(TOPICS[topic], value))
        return msgspec.json.decode(value)


async def cases(options: Options) -> AsyncGenerator[Case, None]:
    """Run all contenders over the same carts."""
    with ground() as stack:
        await asyncio.to_thread(stack.kafka)
        await asyncio.to_thread(create, stack.settings)
        entries = {
            "candidate": flow_entry(stack, FLOW.name, (CART_UPDATED.name, CART_REJECTED.name), ()),
            **{name: baseline_entry(stack, "cart", name) for name in BASELINES},
        }
        pieces = {name: Pieces(name) for name in entries}
        seeds = itertools.count(1)

        async def one(name: str) -> Sample:
            keys = loads.even(CARTS, options.scaled(COUNTS[name]), next(seeds))

            async def check(came: list[Came]) -> None:
                await asyncio.to_thread(pieces[name].check, came, keys)

            return await measure(entries[name], stack, adds(name, keys), check)

        yield Case(
            "even",
            "events/s",
            partial(one, "candidate"),
            {name: partial(one, name) for name in BASELINES},
            {"faust": 15.0, "quix": 1.25, "raw": 0.5},
        )


STEP = Step("cart", "cart.add commands in, table change, the whole cart out", cases)
