"""New indices without their aliases, and the old ones under an alias of their own."""

import time
from collections.abc import Mapping, Sequence

from aiokafka import TopicPartition
from elasticsearch import AsyncElasticsearch

from connectors.elasticsearch import indices
from connectors.elasticsearch.index import Index, Write
from connectors.elasticsearch.sink import TIMEOUT_S, ElasticsearchSink
from connectors.runtime.sink import Sink
from sinks.rebuild import owed
from sinks.rebuild.catching_up import CatchUp, ReadOn
from sinks.verify.elasticsearch import ElasticsearchSide, Guards


class ElasticsearchBeside:
    """Indices by the names of this moment."""

    def __init__(self, url: str, declared: Sequence[Index], guards: Guards) -> None:
        self._url = url
        self._declared = declared
        self._guards = guards
        stamp = time.time_ns() // 1_000_000
        self._names = {index.alias: f"{index.alias}-{stamp}" for index in declared}
        self._targets: Mapping[str, str] = self._names

    async def prepare(self) -> None:
        """Create the indices; those that interrupted rebuilds left have no alias, and are deleted."""
        async with self._client() as client:
            for index in self._declared:
                await indices.drop_strays(client, index)
                await indices.create_beside(client, index, self._names[index.alias])

    def sink(self) -> Sink[Write]:
        """Return a sink that writes to the new indices by name, or to those that are being completed."""
        return ElasticsearchSink(self._url, self._declared, targets=self._targets)

    async def side(self) -> ElasticsearchSide:
        """Return what reads the new indices."""
        return ElasticsearchSide(self._url, self._guards, self._names)

    async def swap(self, catch_up: CatchUp) -> None:
        """Let each alias stand for its new index.

        The sink cannot be held back: it goes on writing to the old ones until then, and what they have got
        behind the new ones is read after that. Where from stands in the new ones until it is done.
        """
        upto = await catch_up()
        async with self._client() as client:
            for name in self._names.values():
                await owed.note(client, name, upto)
            for index in self._declared:
                await indices.swap(client, index, self._names[index.alias])
        await catch_up()
        async with self._client() as client:
            for name in self._names.values():
                await owed.note(client, name, {})

    async def resume(self, read_on: ReadOn) -> bool:
        """Read into the live indices what a rebuild that died behind its swap had yet to read."""
        async with self._client() as client:
            live = await owed.live(client, self._declared)
            since: dict[TopicPartition, int] = {}
            for each in live.values():
                for place, offset in each.owed.items():
                    since[place] = min(offset, since.get(place, offset))
            if not since:
                return False
            self._targets = {alias: each.name for alias, each in live.items()}
            await read_on(since)
            self._targets = self._names
            for each in live.values():
                await owed.note(client, each.name, {})
            kept = [await indices.old(client, index) for index in self._declared]
        return all(kept)

    async def drop(self) -> None:
        """Delete the new indices."""
        async with self._client() as client:
            await client.options(ignore_status=404).indices.delete(index=list(self._names.values()))

    async def old(self) -> list[str]:
        """Return the old indices."""
        async with self._client() as client:
            return [name for index in self._declared for name in await indices.old(client, index)]

    async def drop_old(self) -> None:
        """Delete the old indices."""
        async with self._client() as client:
            for index in self._declared:
                await indices.drop_old(client, index)

    def _client(self) -> AsyncElasticsearch:
        return AsyncElasticsearch(self._url, request_timeout=TIMEOUT_S)
