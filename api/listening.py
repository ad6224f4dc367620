"""Reading partitions from a place on, on a thread of its own: what nobody wants never reaches the loop.

librdkafka fetches beside the interpreter. aiokafka's consumer names every partition in Python for each fetch,
and under a purchase's load there is one per record: it cost more than all that was done with the records.
"""

import asyncio
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import structlog
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Message, TopicPartition

from api.heard import Headers
from api.logs import Seldom
from topics.consumers import reader
from topics.header_values import headers_of
from topics.offsets import Place
from topics.settings import Settings

_log = structlog.get_logger()

# The thread looks so often whether it is to end.
_SLICE_S = 0.2
_MOST = 2_000
_QUEUE_KB = 32 * 1024
_TELL_S = 5.0


class Record(NamedTuple):
    """A record as the broker has it. Headers are there only where they were asked for."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers = ()


class Wants(NamedTuple):
    """What is wanted of a record: `record` says whether it is, by topic and key; `headers`, by topic."""

    record: Callable[[str, bytes | None], bool]
    headers: Callable[[str], bool]


class Listening:
    """Reads partitions from `positions` on, until it is closed.

    `take` is called on the loop with what is wanted of a look, in the order of the partitions. While it has
    not returned, the next records wait with librdkafka: who is busy gets more at once, and less often.
    """

    def __init__(
        self,
        settings: Settings,
        positions: Mapping[Place, int],
        wants: Wants,
        take: Callable[[list[Record]], None],
    ) -> None:
        self._settings = settings
        self._positions = dict(positions)
        self._anew: set[Place] = set()
        self._wants = wants
        self._take = take
        self._loop = asyncio.get_running_loop()
        self._closing = False
        self._taken = threading.Event()
        self._taken.set()
        self._told = Seldom(_TELL_S)
        self._consumer = self._assigned()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="tail")
        self.ended: asyncio.Future[None] = self._loop.run_in_executor(self._thread, self._hear)
        """Done when nothing is heard any more; its exception says why."""

    def begin_anew(self, places: Iterable[Place]) -> None:
        """Read partitions of topics that were made anew from their beginning on, soon."""
        self._anew.update(places)

    async def close(self) -> None:
        """Hear nothing more."""
        self._closing = True
        self._taken.set()
        await asyncio.gather(self.ended, return_exceptions=True)
        await asyncio.to_thread(self._consumer.close)
        self._thread.shutdown(wait=False)

    def _hear(self) -> None:
        while not self._closing:
            if self._anew:
                self._renew()
            first = self._consumer.poll(_SLICE_S)
            if first is None:
                continue
            self._taken.wait()
            # What came while the loop was busy goes with it.
            self._hand_on([first, *self._consumer.consume(_MOST, 0)])

    def _renew(self) -> None:
        """Go on with a client that has never heard of the topics that are gone.

        One that had may stay silent about their successors for ever (librdkafka issue 5430).
        """
        anew = self._anew.copy()
        self._anew -= anew
        read = self._consumer.position(self._consumer.assignment())
        self._positions.update({(tp.topic, tp.partition): tp.offset for tp in read if tp.offset >= 0})
        self._positions.update(dict.fromkeys(anew, OFFSET_BEGINNING))
        self._consumer.close()
        self._consumer = self._assigned()

    def _assigned(self) -> Consumer:
        consumer = reader(
            self._settings,
            "api-tail",
            on_error=self._note,
            beyond="latest",
            tuning={
                "fetch.min.bytes": 1,
                "fetch.queue.backoff.ms": 10,
                "queued.max.messages.kbytes": _QUEUE_KB,
            },
        )
        consumer.assign([TopicPartition(*place, offset) for place, offset in self._positions.items()])
        return consumer

    def _hand_on(self, messages: list[Message]) -> None:
        wanted = []
        for message in messages:
            if (error := message.error()) is not None:
                self._note(error)
                continue
            topic, key = message.topic() or "", message.key()
            if self._wants.record(topic, key):
                headers = headers_of(message) if self._wants.headers(topic) else ()
                wanted.append(Record(topic, key, message.value(), headers))
        if not wanted or self._closing:
            return
        self._taken.clear()
        self._loop.call_soon_threadsafe(self._on_loop, wanted)

    def _on_loop(self, records: list[Record]) -> None:
        try:
            self._take(records)
        finally:
            self._taken.set()

    def _note(self, error: KafkaError) -> None:
        """Tell what is wrong; the client itself tries again."""
        if count := self._told.tells(error.code()):
            _log.warning("tail_interrupted", error=error.str(), of=count)
