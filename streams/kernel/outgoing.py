"""One destination partition: what waits for it, appended in order, one batch at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import aiokafka.errors as kafka_errors
import structlog
from aiokafka.structs import TopicPartition

from streams.kernel.appends import Appends, renew_metadata, settle
from streams.kernel.identity import Identity
from streams.kernel.ports import Headers, Output
from streams.kernel.record_batch import build

log = structlog.get_logger(__name__)

# The broker's limit for a record batch of an ordinary topic is 1 MiB.
MAX_BATCH_BYTES: Final = 1_000_000
FIRST_BACKOFF_S: Final = 0.1
MAX_BACKOFF_S: Final = 5.0


class Outgoing:
    """Appends to one partition under the publisher's identity; a batch that got no answer is sent again.

    The sequence lets the broker drop what it has already. `renew` is called with an identity that cannot go
    on; the one that follows starts at sequence 0.
    """

    def __init__(
        self,
        place: TopicPartition,
        appends: Appends,
        identity: Callable[[], Identity],
        renew: Callable[[Identity], Awaitable[None]],
    ) -> None:
        self._place = place
        self._appends = appends
        self._current = identity
        self._renew = renew
        self._identity: Identity | None = None
        self._sequence = 0
        self._waiting: list[tuple[Sequence[Output], asyncio.Future[None]]] = []
        self._sender: asyncio.Task[None] | None = None

    def put(self, records: Sequence[Output]) -> "asyncio.Future[None]":
        """Queue records; the future is done when all replicas have them."""
        sent: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((records, sent))
        if self._sender is None:
            self._sender = asyncio.create_task(self._send_all())
        return sent

    async def close(self) -> None:
        """Stop; what was not answered by now fails with ProducerClosed."""
        if self._sender is not None:
            self._sender.cancel()
            await asyncio.wait((self._sender,))

    async def _send_all(self) -> None:
        taken: list[tuple[Sequence[Output], asyncio.Future[None]]] = []
        try:
            while self._waiting:
                taken, self._waiting = self._waiting, []
                records = [(each.key, each.value, each.headers) for some, _ in taken for each in some]
                while records:
                    del records[: await self._append(records)]
                for _, sent in taken:
                    settle(sent, None)
        except BaseException as error:
            closed = kafka_errors.ProducerClosed() if isinstance(error, asyncio.CancelledError) else error
            for _, sent in (*taken, *self._waiting):
                settle(sent, closed)
            self._waiting = []
            if not isinstance(error, Exception):
                raise
        finally:
            self._sender = None

    async def _append(self, records: Sequence[tuple[bytes | None, bytes | None, Headers]]) -> int:
        """Append a batch from the front; return how many records it had."""
        backoff = FIRST_BACKOFF_S
        while True:
            identity = self._current()
            if identity != self._identity:
                self._identity, self._sequence = identity, 0
            batch = build(identity, self._sequence, records, MAX_BATCH_BYTES)
            try:
                await self._appends.append(self._place, batch.data)
            except kafka_errors.DuplicateSequenceNumber:
                pass  # the broker has it, and its answer was lost
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
                    await self._renew(identity)
                continue
            self._sequence = batch.following
            return batch.count
