"""The Elasticsearch views as a comparison reads them, and what the topics' documents would be there.

A part of a document that has a version of its own is a part of the comparison, `index.guard`.
"""

from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from elastic_transport import TransportError
from elasticsearch import ApiError, AsyncElasticsearch, NotFoundError
from elasticsearch.helpers import ScanError, async_scan

from connectors.elasticsearch.index import Deletion, Document, Patch, Write
from connectors.runtime.sink import Entry, Refusal
from sinks.verify.held import Held, Told, digest
from sinks.verify.sides import Unreadable
from sinks.verify.spool import Spool

_TIMEOUT_S = 60.0
_PAGE = 1_000
WHOLE = ""
"""The guard of what has none: a whole document."""

Guards = Mapping[str, Mapping[str, frozenset[str]]]
"""By alias and guard, the fields that the guard's version stands for; none for whole documents."""


class ElasticsearchSide:
    """Indices by alias, or by the names of `targets` in an alias's place."""

    def __init__(self, url: str, guards: Guards, targets: Mapping[str, str] | None = None) -> None:
        self._url = url
        self._guards = guards
        self._targets = targets or {}

    async def rows(self, part: str) -> AsyncIterator[Held]:
        """Yield every document's part, as of one moment; nothing where the index is not there."""
        alias, guard = split(part)
        name = self._targets.get(alias, alias)
        try:
            async with _client(self._url) as client:
                await client.indices.refresh(index=name)
                async for hit in async_scan(client, index=name, size=_PAGE):
                    if (held := self._held(alias, guard, hit)) is not None:
                        yield held
        except NotFoundError:
            return

    async def some(self, part: str, keys: Collection[str]) -> Mapping[str, Held]:
        """Return those of the documents' parts that are there."""
        alias, guard = split(part)
        try:
            async with _client(self._url) as client:
                found = await client.mget(index=self._targets.get(alias, alias), ids=list(keys))
        except NotFoundError:
            return {}
        hits = (self._held(alias, guard, each) for each in found["docs"] if each.get("found"))
        return {held.key: held for held in hits if held is not None}

    def _held(self, alias: str, guard: str, hit: Mapping[str, Any]) -> Held | None:
        source: Mapping[str, Any] = hit["_source"]
        if guard == WHOLE:
            return Held(hit["_id"], digest([hit["_id"], source]))
        if guard not in source:
            return None
        fields = self._guards[alias][guard]
        others = set[str]().union(*self._guards[alias].values(), self._guards[alias])
        # What no part knows is nobody's, and so anybody's: it makes the first part different.
        stray = source.keys() - others if guard == min(self._guards[alias]) else set[str]()
        told = {name: source[name] for name in source if name in fields or name in stray}
        return Held(hit["_id"], digest([hit["_id"], source[guard], told]))


class ElasticsearchExpected:
    """A sink into a spool: what the indices have to hold once all that it is given is written."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool

    async def write(self, batch: Sequence[Entry[Write]]) -> Sequence[Refusal]:
        """Keep the highest version of each document and part; refuses nothing."""
        said: dict[tuple[str, str], Told | None] = {}
        for entry in batch:
            record, writes = entry.record, entry.rows
            for write in writes:
                place = (part_of(write), write.id)
                known = said[place] if place in said else self._spool.get(*place)
                if known is None or write.version > known.version:
                    source = (record.topic, record.partition, record.offset)
                    rows = 0 if isinstance(write, Deletion) else 1
                    said[place] = Told(_digest(write), rows, write.version, (source,), record.timestamp)
        self._spool.write(said)
        return ()

    async def close(self) -> None:
        """Do nothing: the spool is its maker's."""


def parts(guards: Guards) -> Iterator[str]:
    """Yield the parts of a comparison."""
    for alias, each in guards.items():
        yield from (f"{alias}.{guard}" for guard in each) if each else (alias,)


def part_of(write: Write) -> str:
    """Return the part that a write belongs to."""
    return f"{write.alias}.{write.guard}" if isinstance(write, Patch) else write.alias


def split(part: str) -> tuple[str, str]:
    """Return a part's alias and guard."""
    alias, _, guard = part.partition(".")
    return alias, guard


def _digest(write: Write) -> bytes:
    match write:
        case Patch():
            return digest([write.id, write.version, write.fields])
        case Document():
            return digest([write.id, write.source])
        case Deletion():
            return b""


@asynccontextmanager
async def _client(url: str) -> AsyncIterator[AsyncElasticsearch]:
    try:
        async with AsyncElasticsearch(url, request_timeout=_TIMEOUT_S) as client:
            yield client
    except NotFoundError:
        raise
    except (ApiError, TransportError, ScanError) as error:
        raise Unreadable(f"Elasticsearch: {error}") from error
