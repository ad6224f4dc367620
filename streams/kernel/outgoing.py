"""One destination partition: what waits for it, appended in order, one batch at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple

import aiokafka.errors as kafka_errors
import structlog
from aiokafka.structs import TopicPartition

from streams.kernel.appends import Appends, renew_metadata, settle
from streams.kernel.identity import Identity
from streams.kernel.ports import Content, Output
from streams.kernel.record_batch import RecordBatch, build

log = structlog.get_logger(__name__)

# The broker's limit for a record batch of an ordinary topic is 1 MiB.
MAX_BATCH_BYTES: Final = 1_000_000
FIRST_BACKOFF_S: Final = 0.1
MAX_BACKOFF_S: Final = 5.0

HandOver = Callable[[str, int, int, Sequence[Content]], None]
"""Is told what the broker has: topic, partition, the first one's offset, and the records."""

NOT_KNOWN: Final = -1
"""The offset of what the broker had already."""


def to_nobody(topic: str, partition: int, first: int, sent: Sequence[Content]) -> None:
    """Hand over nothing."""


class Outgoing:
    """Appends to one partition under the publisher's identity; a batch that got no answer is sent again.

    The sequence lets the broker drop what it has already. `renew` is called with an identity that cannot go
    on; the one that follows starts at sequence 0. What the broker has is handed over then, and not before.
    """

    def __init__(
        self,
        place: TopicPartition,
        appends: Appends,
        identity: Callable[[], Identity],
        renew: Callable[[Identity], Awaitable[None]],
        hand_over: HandOver = to_nobody,
    ) -> None:
        self._place = place
        self._appends = appends
        self._current = identity
        self._renew = renew
        self._hand_over = hand_over
        self._identity: Identity | None = None
        self._sequence = 0
        self._waiting: list[_Put] = []
        self._answer: asyncio.Future[int] | None = None
        self._sender: asyncio.Task[None] | None = None

    def put(self, records: Sequence[Output]) -> "asyncio.Future[None]":
        """Queue records; the future is done when all replicas have them."""
        sent: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((records, sent))
        if self._answer is None and self._sender is None:
            self._begin()
        return sent

    async def close(self) -> None:
        """Stop; what was not answered by now fails with ProducerClosed."""
        waits: list[asyncio.Future[Any]] = [each for each in (self._answer, self._sender) if each is not None]
        for each in waits:
            each.cancel()
        if waits:
            await asyncio.wait(waits)

    def _begin(self) -> None:
        """Send all that waits. Most often it is one batch that the broker takes, which needs no task."""
        taken, self._waiting = self._waiting, []
        records: list[Content] = [(each.key, each.value, each.headers) for some, _ in taken for each in some]
        try:
            attempt = self._submit(records)
        except Exception as error:  # noqa: BLE001 - handed on to who sends
            _settle_all(taken, error)
            return
        self._answer = attempt.answer
        attempt.answer.add_done_callback(lambda _: self._answered(taken, records, attempt))

    def _answered(self, taken: "list[_Put]", records: list[Content], attempt: "_Attempt") -> None:
        self._answer = None
        answer = attempt.answer
        if answer.cancelled():
            _settle_all([*taken, *self._waiting], kafka_errors.ProducerClosed())
            self._waiting = []
        elif answer.exception() is not None or attempt.batch.count < len(records):
            self._sender = asyncio.create_task(self._send_all(taken, records, attempt))
        else:
            try:
                self._sent(attempt.batch, answer.result(), records)
            except Exception as error:  # noqa: BLE001 - handed on to who sends
                _settle_all(taken, error)
            else:
                _settle_all(taken, None)
            if self._waiting:
                self._begin()

    async def _send_all(
        self, taken: "list[_Put]", records: list[Content], attempt: "_Attempt | None"
    ) -> None:
        try:
            while True:
                while records:
                    del records[: await self._append(records, attempt)]
                    attempt = None
                _settle_all(taken, None)
                if not self._waiting:
                    break
                taken, self._waiting = self._waiting, []
                records = [(each.key, each.value, each.headers) for some, _ in taken for each in some]
        except BaseException as error:
            closed = kafka_errors.ProducerClosed() if isinstance(error, asyncio.CancelledError) else error
            _settle_all([*taken, *self._waiting], closed)
            self._waiting = []
            if not isinstance(error, Exception):
                raise
        finally:
            self._sender = None

    async def _append(self, records: list[Content], attempt: "_Attempt | None") -> int:
        """Append a batch from the front, as `attempt` has begun to; return how many records it had."""
        backoff = FIRST_BACKOFF_S
        while True:
            attempt = attempt or self._submit(records)
            batch = attempt.batch
            try:
                first = await attempt.answer
            except kafka_errors.DuplicateSequenceNumber:
                first = NOT_KNOWN  # the broker has it, and its answer was lost
            except kafka_errors.KafkaError as error:
                log.warning(
                    "outputs not sent, trying again",
                    topic=self._place.topic,
                    partition=self._place.partition,
                    count=batch.count,
                    error=repr(error),
                )
                await asyncio.sleep(backoff)
                backoff = min(backoff * 2, MAX_BACKOFF_S)
                if error.retriable:
                    await renew_metadata(self._appends.client)
                else:
                    await self._renew(attempt.identity)
                attempt = None
                continue
            self._sent(batch, first, records)
            return batch.count

    def _submit(self, records: Sequence[Content]) -> "_Attempt":
        identity = self._current()
        if identity != self._identity:
            self._identity, self._sequence = identity, 0
        batch = build(identity, self._sequence, records, MAX_BATCH_BYTES)
        return _Attempt(identity, batch, self._appends.submit(self._place, batch.data))

    def _sent(self, batch: RecordBatch, first: int, records: Sequence[Content]) -> None:
        self._sequence = batch.following
        self._hand_over(self._place.topic, self._place.partition, first, records[: batch.count])


_Put = tuple[Sequence[Output], "asyncio.Future[None]"]
"""Records, and what is done when all replicas have them."""


class _Attempt(NamedTuple):
    """A batch on its way: under which identity, and the broker's answer to come."""

    identity: Identity
    batch: RecordBatch
    answer: "asyncio.Future[int]"


def _settle_all(taken: Iterable[_Put], outcome: BaseException | None) -> None:
    for _, sent in taken:
        settle(sent, outcome)
