"""The end of a command that nobody was there to hear: its topics have it for as long as they keep records."""

import asyncio
import time
from collections.abc import Iterator
from typing import Protocol

import structlog
from confluent_kafka import OFFSET_END, Consumer, KafkaException, TopicPartition, murmur2

from api.command_records import CommandRecord, Status, ended_by
from api.expectation import Expectation
from api.heard import Headers, Heard, buried
from api.outcomes import LETTERS, OF_COMMAND
from schemas.codec import UndecodableError
from topics.consumers import reader
from topics.header_values import headers_of
from topics.registry import TOPICS
from topics.settings import Settings
from topics.wire import decode

_log = structlog.get_logger()

_YOUNG_MS = 3_000
"""A command of this age is on its way, most likely."""
_AGAIN_S = 10.0
_SEARCH_S = 5.0
_SKEW_MS = 1_000
_BATCH = 1_000


class CommandEnds(Protocol):
    """Finds what ended a command."""

    async def of(self, record: CommandRecord) -> CommandRecord | None:
        """Return the record of a command that has ended, or None."""
        ...


class TopicEnds:
    """Reads the partitions in which a command's end would lie, from when it was accepted on.

    One search runs at a time and takes at most five seconds; a command is searched for every ten. Who comes
    in between hears what was known before.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._searching = asyncio.Lock()
        self._asked: dict[str, float] = {}

    async def of(self, record: CommandRecord) -> CommandRecord | None:
        """Return the record of a command that has ended; None where its end was not found."""
        if record.status not in (Status.ACCEPTED, Status.FAILED) or record.command not in OF_COMMAND:
            return None
        young = time.time() * 1000 - record.accepted_at < _YOUNG_MS
        if young or self._searching.locked() or self._lately(record.command_id):
            return None
        async with self._searching:
            try:
                ended = await asyncio.to_thread(self._search, record)
            except KafkaException as error:
                _log.warning("command_end_not_searched", command_id=record.command_id, error=repr(error))
                return None
        return None if ended == record else ended

    def _lately(self, command_id: str) -> bool:
        now = time.monotonic()
        self._asked = {each: at for each, at in self._asked.items() if now - at < _AGAIN_S}
        return self._asked.setdefault(command_id, now) != now

    def _search(self, record: CommandRecord) -> CommandRecord | None:
        expectation = OF_COMMAND[record.command]
        consumer = reader(self._settings, "api-command-ends")
        try:
            found = [
                heard
                for heard in _read(consumer, _keys(record, expectation), record.accepted_at - _SKEW_MS)
                if expectation.ends(record.command_id, heard)
            ]
        finally:
            consumer.close()
        # A letter that was sent again has a better end.
        found.sort(key=lambda heard: heard.letter is not None)
        return ended_by(record, found[0], expectation) if found else None


def _keys(record: CommandRecord, expectation: Expectation) -> dict[str, bytes]:
    """Return the topics in which the end may lie, and its key in each."""
    ends = dict.fromkeys((topic.name for topic in expectation.topics), record.outcome_key or record.key)
    letters = dict.fromkeys((topic.name for topic in LETTERS), record.key)
    return {name: key.encode() for name, key in (ends | letters).items()}


def _read(consumer: Consumer, keys: dict[str, bytes], since: int) -> Iterator[Heard]:
    """Yield what has its topic's key and came after `since` (ms), up to where the partitions end now."""
    deadline = time.monotonic() + _SEARCH_S
    there = consumer.list_topics(timeout=_SEARCH_S).topics
    wanted = [
        TopicPartition(name, murmur2(key, len(there[name].partitions)), since)
        for name, key in keys.items()
        if name in there and there[name].partitions
    ]
    begin = [each for each in consumer.offsets_for_times(wanted, _SEARCH_S) if each.offset != OFFSET_END]
    left = {}
    for each in begin:
        _, end = consumer.get_watermark_offsets(each, timeout=_SEARCH_S)
        if each.offset < end:
            left[each.topic, each.partition] = end
    consumer.assign([each for each in begin if (each.topic, each.partition) in left])
    while left and time.monotonic() < deadline:
        for message in consumer.consume(_BATCH, 0.2):
            place = (message.topic() or "", message.partition() or 0)
            if message.error() is not None or place not in left:
                continue
            if (message.offset() or 0) + 1 >= left[place]:
                del left[place]
            if message.key() == keys[place[0]]:
                yield from _heard(place[0], message.value(), headers_of(message))


def _heard(topic_name: str, value: bytes | None, headers: Headers) -> Iterator[Heard]:
    if value is None:
        return
    topic = TOPICS.get(topic_name)
    if topic is None:
        if (letter := buried(topic_name, value, headers)) is not None:
            yield letter
        return
    try:
        yield Heard(topic, decode(topic, value))
    except UndecodableError as error:
        _log.warning("command_end_undecodable", topic=topic_name, error=str(error))
