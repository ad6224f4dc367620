"""The loop of the outbox source: take rows, publish them, and only then let them go."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress

import structlog
from aiokafka.errors import KafkaError, MessageSizeTooLargeError
from aiokafka.structs import RecordMetadata

from connectors.outbox import metrics
from connectors.outbox.lag import Lag
from connectors.outbox.row import SOURCE, OutboxRow, published
from connectors.outbox.store import OutboxStore
from connectors.postgres.errors import FAILURES
from connectors.runtime.backoff import delay
from topics.dead_letter import ATTEMPT, CONSUMER, ERROR, FAILED_AT, ID, REASON, said, sealed
from topics.producer import MessageProducer
from topics.registry import DEAD_LETTERS, TOPICS
from topics.settings import Settings

log = structlog.get_logger(__name__)

BATCH = 500
POLL_S = 5.0
"""How long a notification may fail to come; each row written is announced."""
UNPUBLISHABLE = "unpublishable"
_STRANGERS = DEAD_LETTERS["import"]


class OutboxSource:
    """Publishes the outbox until it is stopped; waits, with nothing lost, while a server is away."""

    def __init__(self, settings: Settings, *, batch: int = BATCH, poll_s: float = POLL_S) -> None:
        self._settings = settings
        self._batch = batch
        self._poll_s = poll_s
        self._stopping = asyncio.Event()
        self._attempt = 0
        self._active = False
        self._lag = Lag(settings.postgres_dsn)

    @property
    def healthy(self) -> bool:
        """Tell whether both servers took the last batch."""
        return self._attempt == 0

    @property
    def details(self) -> dict[str, str]:
        """Return the state for people."""
        state = "publishing" if self._active else "standing by"
        return {
            "state": state if self.healthy else f"waiting, attempt {self._attempt}",
            "unpublished": str(self._lag.waiting.rows),
            "oldest_s": f"{self._lag.waiting.seconds:.1f}",
        }

    def stop(self) -> None:
        """Ask the loop to end after the batch in hand."""
        self._stopping.set()

    async def run(self) -> None:
        """Publish until `stop`."""
        watching = asyncio.create_task(self._lag.watch(), name="outbox-lag")
        try:
            while not self._stopping.is_set():
                try:
                    await self._connected()
                except (*FAILURES, KafkaError) as error:
                    await self._put_off(error)
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching
        log.info("outbox.stopped")

    async def _connected(self) -> None:
        async with (
            MessageProducer(self._settings, SOURCE) as producer,
            OutboxStore.connected(self._settings.postgres_dsn) as store,
        ):
            log.info("outbox.connected")
            while not self._stopping.is_set():
                await self._turn(store, producer)

    async def _turn(self, store: OutboxStore, producer: MessageProducer) -> None:
        async with store.batch(self._batch) as rows:
            if rows:
                await self._publish(rows, producer)
        self._attempt = 0
        self._active = rows is not None
        metrics.UP.labels(SOURCE).set(1)
        metrics.ACTIVE.labels(SOURCE).set(self._active)
        if not rows:
            await self._rest(store)

    async def _rest(self, store: OutboxStore) -> None:
        stopped = asyncio.ensure_future(self._stopping.wait())
        written = asyncio.ensure_future(store.written(self._poll_s))
        await asyncio.wait((stopped, written), return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        written.cancel()

    async def _publish(self, rows: Sequence[OutboxRow], producer: MessageProducer) -> None:
        started = time.monotonic()
        # All of them, before the first error ends the batch: none may arrive after its repetition.
        sent = [await self._send(row, producer) for row in rows]
        answers = await asyncio.gather(*sent, return_exceptions=True)
        for row, answer in zip(rows, answers, strict=True):
            if isinstance(answer, MessageSizeTooLargeError):
                await (await self._refuse(row, answer, producer))
            elif isinstance(answer, BaseException):
                raise answer
        metrics.BATCH_RECORDS.labels(SOURCE).observe(len(rows))
        metrics.PUBLISH_SECONDS.labels(SOURCE).observe(time.monotonic() - started)
        now = time.time()
        for row in rows:
            metrics.DELAY_SECONDS.labels(SOURCE).observe(max(0.0, now - row.occurred_at.timestamp()))

    async def _send(self, row: OutboxRow, producer: MessageProducer) -> "asyncio.Future[RecordMetadata]":
        try:
            topic, value = published(row, self._settings.tenant)
            answer = await producer.send_raw(topic, row.key.encode(), value, row.headers)
        except MessageSizeTooLargeError as error:
            return await self._refuse(row, error, producer)
        except KafkaError:
            raise
        except Exception as error:  # noqa: BLE001 # whatever a row holds, those after it go out
            return await self._refuse(row, error, producer)
        metrics.RECORDS.labels(SOURCE, topic.name).inc()
        return answer

    async def _refuse(
        self, row: OutboxRow, error: Exception, producer: MessageProducer
    ) -> "asyncio.Future[RecordMetadata]":
        log.error("outbox.refused", row=str(row.id), topic=row.topic, error=said(error))
        metrics.REFUSED.labels(SOURCE).inc()
        topic = TOPICS[row.topic].dead_letters if row.topic in TOPICS else _STRANGERS
        told = {
            ID: row.event_id,
            CONSUMER: SOURCE,
            REASON: UNPUBLISHABLE,
            ERROR: said(error),
            ATTEMPT: "1",
            FAILED_AT: str(time.time_ns() // 1_000_000),
        }
        own = [(name, text.encode("utf-8", "replace")) for name, text in row.headers.items()]
        return await producer.send_raw(topic, *sealed(row.key.encode(), row.data.encode(), own, told))

    async def _put_off(self, error: BaseException) -> None:
        self._attempt += 1
        pause = delay(self._attempt)
        metrics.RETRIES.labels(SOURCE).inc()
        metrics.UP.labels(SOURCE).set(0)
        log.warning(
            "outbox.unavailable",
            attempt=self._attempt,
            wait_s=round(pause, 2),
            error=f"{type(error).__name__}: {error}",
        )
        try:
            await asyncio.wait_for(self._stopping.wait(), pause)
        except TimeoutError:
            return
