"""Which records of a view are dead letters: what it lacks of them is known, and no fault of its own."""

from collections.abc import Sequence

from connectors.runtime.connector import SinkConnector
from connectors.runtime.dead_letters import TOPIC
from connectors.runtime.projection import RawProjection
from connectors.runtime.record import Record
from connectors.runtime.sink import Entry, Refusal
from sinks.verify.spans import spans
from topics import dead_letter as header
from topics.settings import Settings

Source = tuple[str, int, int]
"""A topic, a partition and an offset."""


class Passed:
    """Takes no letters: the live sink has written them. Counts what it is given."""

    def __init__(self) -> None:
        self.records = 0

    async def put(self, record: Record, reason: str, error: BaseException | str) -> None:  # noqa: ARG002
        """Count the record."""
        self.records += 1


class _Looked:
    """A sink that keeps of letters which of some records they are about."""

    def __init__(self, wanted: set[Source]) -> None:
        self._wanted = wanted
        self.found: set[Source] = set()

    async def write(self, batch: Sequence[Entry[Source]]) -> Sequence[Refusal]:
        """Keep the sources that are wanted."""
        self.found.update(source for entry in batch for source in entry.rows if source in self._wanted)
        return ()

    async def close(self) -> None:
        """Do nothing."""


async def lettered(settings: Settings, wanted: set[Source]) -> set[Source]:
    """Return those of the records that the sinks' dead letters are about."""
    if not wanted:
        return set()
    there = await spans(settings, [TOPIC.name])
    looked = _Looked(wanted)
    reading: SinkConnector[Source] = SinkConnector(
        "letters",
        [RawProjection(TOPIC, _source, ("letters",))],
        looked,
        Passed(),
        settings,
        positions=there.starts,
    )
    await reading.run(there.ends)
    return looked.found


def _source(record: Record) -> tuple[Source, ...]:
    told = record.own_headers
    try:
        place = (
            told[header.SOURCE_TOPIC],
            int(told[header.SOURCE_PARTITION]),
            int(told[header.SOURCE_OFFSET]),
        )
    except (KeyError, ValueError):
        return ()
    return (place,)
