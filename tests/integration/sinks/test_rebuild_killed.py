"""A rebuild that is killed at its swap leaves nothing out, whatever the live sink writes meanwhile."""

import itertools
import uuid
from collections.abc import Awaitable, Callable, Iterator
from functools import partial

import asyncpg
import pytest
from elasticsearch import AsyncElasticsearch

from connectors.elasticsearch.sink import ElasticsearchSink
from connectors.postgres.offsets import Offsets
from connectors.postgres.sink import PostgresSink
from sinks.postgres import TABLES
from sinks.rebuild import Rebuild, Rebuilt, drop_old
from sinks.rebuild.elasticsearch import ElasticsearchBeside
from sinks.verify.spans import behind, committed, spans
from sinks.verify.verify import Verification
from sinks.views import Choice
from tests.eventually import eventually_async
from tests.integration.sinks.mortal import Mortal, indexed, mortal
from tests.integration.sinks.own_topics import OwnTopics
from tests.integration.sinks.views import Event, running
from tests.unit.sinks.messages import event, order, uid
from topics import registry as t
from topics.identity import topic_ids
from topics.producer import MessageProducer
from topics.settings import Settings


class Shop:
    """Takes an order whenever it is asked to."""

    def __init__(self, settings: Settings, own: OwnTopics, chosen: Choice) -> None:
        self._settings = settings
        self._own = own
        self._chosen = chosen
        self._numbers = itertools.count()

    async def sell(self) -> None:
        await self._own.publish(self._ordered(next(self._numbers)))

    def _ordered(self, number: int) -> Iterator[Event]:
        key = uid(f"{self._chosen.group}-{number}")
        yield t.ORDER_PLACED, event(t.ORDER_PLACED, key, 1, order())

    async def in_the_view(self) -> None:
        """Wait until the live sink has written and committed all of it."""
        there = await spans(self._settings, self._chosen.topics)
        await eventually_async(
            lambda: committed(self._settings, self._chosen.group), lambda has: not behind(there, has)
        )

    async def right(self) -> None:
        findings = await Verification(self._settings, self._chosen).run()
        assert (findings.differences, findings.behind) == ((), 0)

    async def missing(self) -> bool:
        findings = await Verification(self._settings, self._chosen).run()
        return any(each.kind == "missing" for each in findings.differences)


async def upto(
    rebuild: Mortal, last: tuple[str, int], at_step: Callable[[tuple[str, int]], Awaitable[None]]
) -> None:
    """Let it go from its swap on to the last step: one of a name, and how often that comes until then."""
    seen = dict[str, int]()
    while step := await rebuild.step():
        if step != "swaps" and not seen:
            rebuild.go_on()
            continue
        seen[step] = seen.get(step, 0) + 1
        await at_step((step, seen[step]))
        if (step, seen[step]) == last:
            return
        rebuild.go_on()
    pytest.fail("it ended before that step")


HELD = (("reads", 2), ("has read", 2))
"""The steps at which PostgreSQL's sink has to wait."""


async def test_tables_lack_nothing_wherever_their_rebuild_is_killed(
    settings: Settings, own: OwnTopics, views: str, database: asyncpg.Connection, group_suffix: str
) -> None:
    chosen = own.choice("orders")
    shop = Shop(settings, own, chosen)

    async def one_more(step: tuple[str, int]) -> None:
        await shop.sell()
        if step not in HELD:
            await shop.in_the_view()
        assert await database.fetchval("SELECT count(*) FROM orders") > 0, "readers do not wait"

    await shop.sell()
    sink = PostgresSink(views, TABLES, offsets=Offsets(chosen.group, partial(topic_ids, settings)))
    async with running(own.connector(chosen, sink)):
        await shop.in_the_view()
        for last in (("reads", 2), ("swapped", 1)):
            async with mortal(settings, group_suffix) as rebuild:
                await upto(rebuild, last, one_more)
                await rebuild.kill()
            await shop.in_the_view()
            await shop.right()
        assert await drop_old(settings, chosen), "the last one was swapped in"


async def test_an_index_gets_what_it_lacks_when_its_rebuild_is_run_again(
    settings: Settings, own: OwnTopics, producer: MessageProducer, elasticsearch: str, group_suffix: str
) -> None:
    alias = f"test-{uuid.uuid4().hex}"
    chosen, index = indexed(own, alias)
    shop = Shop(settings, own, chosen)

    async def one_more(_: tuple[str, int]) -> None:
        await shop.sell()
        await shop.in_the_view()

    async def again() -> Rebuilt:
        beside = ElasticsearchBeside(elasticsearch, [index], chosen.guards)
        return await Rebuild(settings, chosen, producer, place=beside).run(lambda _: True)

    await shop.sell()
    async with (
        AsyncElasticsearch(elasticsearch) as client,
        running(own.connector(chosen, ElasticsearchSink(elasticsearch, [index]))),
    ):
        await shop.in_the_view()
        async with mortal(settings, group_suffix, alias) as rebuild:
            await upto(rebuild, ("reads", 2), one_more)
            await rebuild.kill()
        assert await shop.missing(), "what was written to the old index last"
        done = await again()
        assert (done.swapped, done.resumed) == (True, True)
        await shop.right()
        await ElasticsearchBeside(elasticsearch, [index], chosen.guards).drop_old()
        (name,) = await client.indices.get(index=f"{alias}-*")
        await client.indices.delete(index=name)
