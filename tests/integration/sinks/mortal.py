"""A rebuild in a process of its own, that stops at each step until it is told to go on, or killed."""

import asyncio
import dataclasses
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from unittest.mock import patch

from connectors.elasticsearch import indices
from connectors.elasticsearch.index import Index, Write
from connectors.runtime.projection import RawProjection
from connectors.runtime.record import Record
from sinks.order.document import order_document
from sinks.order.index import ORDERS
from sinks.rebuild import Rebuild
from sinks.rebuild.beside import Beside
from sinks.rebuild.catching_up import CatchUp
from sinks.rebuild.elasticsearch import ElasticsearchBeside
from sinks.rebuild.postgres import PostgresBeside
from sinks.verify.spans import Offsets
from sinks.views import Choice
from tests.integration.sinks.own_topics import OwnTopics
from topics import registry as t
from topics.producer import MessageProducer
from topics.settings import Settings
from topics.wire import decode

_MARK = "step: "
"""What begins the lines of a process's output that are not its log's."""

_swap = indices.swap


def indexed(own: OwnTopics, alias: str) -> tuple[Choice, Index]:
    """Return the orders' view in an index of a test's own."""
    index = dataclasses.replace(ORDERS, alias=alias)

    def projected(each: Record) -> tuple[Write]:
        assert each.value is not None
        topic = t.ORDER_PLACED if each.topic == own.of(t.ORDER_PLACED).name else t.ORDER_CONFIRMED
        return (order_document(decode(topic, each.value))[0]._replace(alias=alias),)

    chosen = dataclasses.replace(
        own.choice("ecommerce-orders"),
        indices=(index,),
        guards={alias: {}},
        projections=[
            RawProjection(own.of(topic), projected, (alias,)) for topic in (t.ORDER_PLACED, t.ORDER_CONFIRMED)
        ],
    )
    return chosen, index


class Mortal:
    """A rebuild that was started as a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def step(self) -> str:
        """Wait for the next step, and return its name; nothing at the end."""
        assert self._process.stdout is not None
        while line := (await self._process.stdout.readline()).decode():
            if line.startswith(_MARK):
                return line.removeprefix(_MARK).strip()
        return ""

    def go_on(self) -> None:
        """Let it go on."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"\n")

    async def kill(self) -> None:
        """Kill it where it stands."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()


@asynccontextmanager
async def mortal(settings: Settings, name: str, alias: str | None = None) -> AsyncIterator[Mortal]:
    """Start a rebuild of the orders that are fed from the topics of that name; killed at the end."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", __name__, settings.model_dump_json(), name, *([alias] if alias else [])),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    started = Mortal(process)
    try:
        yield started
    finally:
        await started.kill()


async def _step(name: str) -> None:
    print(f"{_MARK}{name}", flush=True)  # noqa: T201 - it is what the parent waits for
    await asyncio.to_thread(sys.stdin.readline)


class _Stepping(Rebuild):
    async def catch_up(self) -> Offsets:
        await _step("reads")
        ends = await super().catch_up()
        await _step("has read")
        return ends


def _stepping(place: Beside) -> Beside:
    swap = place.swap

    async def stepped(catch_up: CatchUp) -> None:
        await _step("swaps")
        await swap(catch_up)
        await _step("swapped")

    place.swap = stepped  # type: ignore[method-assign]
    return place


async def _move(*arguments: Any) -> None:
    await _step("moves")
    await _swap(*arguments)
    await _step("moved")


async def _rebuild(settings: Settings, name: str, alias: Sequence[str]) -> None:
    async with MessageProducer(settings, "test") as producer:
        own = OwnTopics(settings, producer, name)
        place: Beside
        if alias:
            chosen, index = indexed(own, alias[0])
            assert settings.elasticsearch is not None
            place = ElasticsearchBeside(settings.elasticsearch, [index], chosen.guards)
        else:
            chosen = own.choice("orders")
            place = PostgresBeside(settings, chosen.tables)
        with patch.object(indices, "swap", _move):
            await _Stepping(settings, chosen, producer, place=_stepping(place)).run(lambda _: True)


if __name__ == "__main__":
    asyncio.run(_rebuild(Settings.model_validate_json(sys.argv[1]), sys.argv[2], sys.argv[3:]))
