"""Reading the topics of some views into a sink; from the archive, what retention has removed of them."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aiokafka import TopicPartition

from connectors.archive.parquet import last_offset, read
from connectors.archive.store import ArchiveStore
from connectors.runtime.connector import SinkConnector
from connectors.runtime.dead_letters import DeadLetters
from connectors.runtime.landing import Landing
from connectors.runtime.pending import Pending
from connectors.runtime.record import Record
from connectors.runtime.routes import Routes
from connectors.runtime.sink import Entry, Refusal, Sink
from connectors.runtime.sizing import Limits, Sizing
from sinks.verify.sides import Unreadable
from sinks.verify.spans import Offsets
from sinks.views import Choice
from topics.settings import Settings

Tell = Callable[[int], None]
"""Is told how many more records were written."""


PATIENCE_S = 120.0
"""How long a server may be away, or refuse everything, before whoever waits is told."""

_LOOK_S = 0.5


def silent(_: int) -> None:
    """Take no note of progress."""


class Chosen:
    """A sink that takes the chosen views' rows only, and tells of each batch."""

    def __init__(self, sink: Sink[Any], choice: Choice, tell: Tell) -> None:
        self._sink = sink
        self._keeps = choice.keeps
        self._tell = tell

    async def write(self, batch: Sequence[Entry[Any]]) -> Sequence[Refusal]:
        """Write the batch's rows of the chosen views. Raises as the sink does."""
        kept = [Entry(each.record, tuple(filter(self._keeps, each.rows))) for each in batch]
        refusals = await self._sink.write(kept)
        self._tell(len(batch))
        return refusals

    async def close(self) -> None:
        """Disconnect."""
        await self._sink.close()


class Reading:
    """Reads the topics that feed the chosen views, each time into a sink that `make` returns."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        choice: Choice,
        *,
        make: Callable[[], Sink[Any]],
        letters: DeadLetters,
        tell: Tell = silent,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._name = name
        self._settings = settings
        self._choice = choice
        self._make = make
        self._letters = letters
        self._tell = tell
        self._patience_s = patience_s

    async def topics(self, since: Offsets, until: Offsets) -> None:
        """Read what lies between.

        Raises Unreadable where the sink's server takes nothing for too long, and
        confluent_kafka.KafkaException where the client cannot go on.
        """
        connector: SinkConnector[Any] = SinkConnector(
            self._name, self._choice.projections, self._sink(), self._letters, self._settings, positions=since
        )
        running = asyncio.create_task(connector.run(until))
        away_since: float | None = None
        try:
            while not (await asyncio.wait({running}, timeout=_LOOK_S))[0]:
                now = time.monotonic()
                away_since = None if connector.healthy else away_since or now
                if away_since is not None and now - away_since > self._patience_s:
                    raise Unreadable(f"takes nothing for {self._patience_s:.0f} s: {connector.last_error}")
        finally:
            connector.stop()
            await running

    async def archive(self, url: str, before: Offsets) -> dict[TopicPartition, int]:
        """Read what the archive has of partitions before these offsets; return those of which it lacks some.

        Raises one of connectors.archive.store.FAILURES where it cannot be read.
        """
        store = ArchiveStore(url, make=False)
        routes: Routes[Any] = Routes(self._choice.projections)
        sink = self._sink()
        landing: Landing[Any] = Landing(
            self._name, routes, sink, self._letters, commit=_nowhere, sizing=Sizing(Limits())
        )
        lacking: dict[TopicPartition, int] = {}
        try:
            for place, start in before.items():
                files = [
                    each
                    for each in await asyncio.to_thread(store.stretches, place.topic)
                    if each.partition == place.partition and each.first < start
                ]
                last = -1
                for each in files:
                    file = await store.get(each)
                    last = last_offset(file)
                    records = [one for one in read(place.topic, file) if one.offset < start]
                    await landing.land(_in_hand(routes, records))
                if not files or files[0].first > 0 or last < start - 1:
                    lacking[place] = start
        finally:
            await sink.close()
        return lacking

    def _sink(self) -> Sink[Any]:
        return Chosen(self._make(), self._choice, self._tell)


def _in_hand(routes: Routes[Any], records: Sequence[Record]) -> Pending[Any]:
    batch: Pending[Any] = Pending()
    for record in records:
        batch.take(record, routes)
    return batch


async def _nowhere(_: Mapping[TopicPartition, int]) -> None:
    """Commit nothing."""
