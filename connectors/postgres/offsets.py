"""How far each partition is in the tables, kept beside them and moved on in the transaction that writes them.

What is delivered again is recognised by its offset and not written again, whether or not its rows have a
version; and of two members that both believe to own a partition, the second waits for the first and finds
its records there.

The rows' offsets say where a member begins to read. Where they are behind what it has read, the database was
put back to an older state, and the member ends with SinkBehindError, to begin again from there.

An offset belongs to a topic's id, not to its name: where a topic was deleted and created again its records
begin anew, and so does its offset.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence

import asyncpg
import structlog

from connectors.runtime.record import Record
from connectors.runtime.sink import SinkBehindError

log = structlog.get_logger(__name__)

Place = tuple[str, int]
"""A topic's name and a partition of it."""

TopicIds = Callable[[Collection[str]], Awaitable[Mapping[str, str]]]
"""Asks the broker for the ids of topics, by name."""

_MEET = """
INSERT INTO sink_offsets AS held (sink, topic, partition, topic_id, next_offset)
SELECT $1, topic, partition, topic_id, 0
FROM unnest($2::text[], $3::integer[], $4::text[]) AS given (topic, partition, topic_id)
ON CONFLICT (sink, topic, partition) DO UPDATE SET topic_id = excluded.topic_id, next_offset = 0
WHERE held.topic_id <> excluded.topic_id
RETURNING topic, partition, xmax <> 0
"""

# Locked in one order, so that two members do not lock each other out; then moved on, never back.
_CLAIM = """
WITH before AS MATERIALIZED (
    SELECT topic, partition, topic_id, next_offset FROM sink_offsets
    WHERE sink = $1 AND (topic, partition) IN (SELECT * FROM unnest($2::text[], $3::integer[]))
    ORDER BY topic, partition FOR UPDATE
)
UPDATE sink_offsets AS held
SET next_offset = greatest(before.next_offset, given.next_offset), written_at = now()
FROM before JOIN unnest($2::text[], $3::integer[], $4::text[], $5::bigint[])
    AS given (topic, partition, topic_id, next_offset) USING (topic, partition, topic_id)
WHERE held.sink = $1 AND held.topic = before.topic AND held.partition = before.partition
RETURNING before.topic, before.partition, before.next_offset
"""


_START = """
SELECT topic, partition, next_offset FROM sink_offsets
JOIN unnest($2::text[], $3::integer[], $4::text[]) AS given (topic, partition, topic_id)
    USING (topic, partition, topic_id)
WHERE sink = $1
"""

_MOVE_ON = """
UPDATE sink_offsets AS held
SET next_offset = greatest(held.next_offset, given.next_offset), written_at = now()
FROM unnest($2::text[], $3::integer[], $4::text[], $5::bigint[])
    AS given (topic, partition, topic_id, next_offset)
WHERE held.sink = $1 AND held.topic = given.topic AND held.partition = given.partition
  AND held.topic_id = given.topic_id
"""


class OffsetsForeignError(Exception):
    """An offset is not that of the topic as it is now: it has to be asked for anew."""


class Offsets:
    """The offsets of one sink, by the name of its consumer group: another group reads everything itself."""

    def __init__(self, group: str, topic_ids: TopicIds) -> None:
        self._group = group
        self._topic_ids = topic_ids
        self._ids: dict[str, str] = {}
        self._met: set[Place] = set()
        self._begun: dict[Place, int] = {}
        self._reached: dict[Place, int] = {}

    async def meet(self, connection: asyncpg.Connection, places: Iterable[Place]) -> None:
        """Make sure that the places have offsets, and of the topics as they are now. Asks the broker once.

        Not to be called in a transaction. Raises what asking the broker raises.
        """
        new = sorted(place for place in places if place not in self._met)
        if not new:
            return
        self._ids.update(await self._topic_ids({topic for topic, _ in new}))
        for topic, partition, anew in await connection.fetch(_MEET, self._group, *self._columns(new)):
            if anew:
                log.warning("postgres.topic_recreated", topic=topic, partition=partition)
                self._begun.pop((topic, partition), None)
                self._reached.pop((topic, partition), None)
        self._met.update(new)

    async def starts(self, connection: asyncpg.Connection, places: Collection[Place]) -> Mapping[Place, int]:
        """Return where the places are to be read from: 0 where nothing of the topic as it is was written."""
        await self.meet(connection, places)
        asked = sorted(places)
        rows = await connection.fetch(_START, self._group, *self._columns(asked))
        begun = {(topic, partition): offset for topic, partition, offset in rows}
        self._begun |= begun
        for place in asked:
            self._reached.pop(place, None)
        return begun

    async def passed(self, connection: asyncpg.Connection, offsets: Mapping[Place, int]) -> None:
        """Move the offsets on behind records without rows; raises what asking the broker raises."""
        behind = {place: at for place, at in offsets.items() if self._reached.get(place, 0) < at}
        if not behind:
            return
        await self.meet(connection, behind)
        places = sorted(behind)
        at = [behind[place] for place in places]
        await connection.execute(_MOVE_ON, self._group, *self._columns(places), at)
        self._reached |= behind

    def written(self, stretches: Mapping[Place, range]) -> None:
        """Note that a transaction with a claim on these is committed."""
        for place, stretch in stretches.items():
            self._reached[place] = max(self._reached.get(place, 0), stretch.stop)

    async def claim(
        self, connection: asyncpg.Connection, stretches: Mapping[Place, range]
    ) -> dict[Place, int]:
        """Move the offsets on behind the stretches, in the connection's transaction.

        Return, of the places of which something was written before, the offset up to which it was. Waits for
        whoever moves an offset in another transaction. Raises OffsetsForeignError where one is gone or is of
        another topic of the name, and, where something was written before, what asking the broker raises.
        Raises SinkBehindError where something between them and the stretches was not written.
        """
        places = sorted(stretches)
        ends = [stretches[place].stop for place in places]
        rows = await connection.fetch(_CLAIM, self._group, *self._columns(places), ends)
        before = {(topic, partition): offset for topic, partition, offset in rows}
        if len(before) < len(places):
            self._met.clear()
            raise OffsetsForeignError(f"the offsets of {self._group} are gone, or of topics that are")
        self._refuse_gaps(before, stretches)
        known = {place: before[place] for place in places if stretches[place].start < before[place]}
        if known:
            await self._verify({topic for topic, _ in known})
        return known

    def _refuse_gaps(self, before: Mapping[Place, int], stretches: Mapping[Place, range]) -> None:
        """Raise SinkBehindError where the offsets are behind what was read, but for what the topic lacks."""
        for place, stretch in stretches.items():
            has = before[place]
            # Read from there on, and the topic had nothing until the stretch.
            complete = self._begun.get(place, stretch.start) <= has and self._reached.get(place, 0) <= has
            if has < stretch.start and not complete:
                raise SinkBehindError(
                    f"{place[0]}/{place[1]}: what is written ends before {has}, what was read begins at"
                    f" {stretch.start}: the database was put back to an older state"
                )
            self._begun.setdefault(place, has)

    async def _verify(self, topics: Collection[str]) -> None:
        """Ask the broker whether the topics are still those whose offsets are held."""
        if any(self._ids[topic] != now for topic, now in (await self._topic_ids(topics)).items()):
            self._met.clear()
            raise OffsetsForeignError(f"of {', '.join(sorted(topics))} one was created again")

    def _columns(self, places: Sequence[Place]) -> tuple[list[str], list[int], list[str]]:
        topics = [topic for topic, _ in places]
        return topics, [partition for _, partition in places], [self._ids[topic] for topic in topics]


def place_of(record: Record) -> Place:
    """Return where the record comes from."""
    return record.topic, record.partition


def stretches_of(records: Iterable[Record]) -> dict[Place, range]:
    """Return what the records cover of each partition: from the first offset up to behind the last one.

    Within a partition records stand in their order.
    """
    stretches: dict[Place, range] = {}
    first = last = None
    # By runs, as a batch holds one partition after the other.
    for record in records:
        if first is None or record.partition != first.partition or record.topic != first.topic:
            _extend(stretches, first, last)
            first = record
        last = record
    _extend(stretches, first, last)
    return stretches


def _extend(stretches: dict[Place, range], first: Record | None, last: Record | None) -> None:
    if first is None or last is None:
        return
    known = stretches.get(place_of(first), range(first.offset, last.offset + 1))
    stretches[place_of(first)] = range(min(known.start, first.offset), max(known.stop, last.offset + 1))
