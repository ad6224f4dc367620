"""The payment gateway: `payment.instruct` in, the provider asked, `payment.outcome` out.

Many instructions are under way at once, in order only within an order, so that one slow card holds up nobody
else. An outcome is with the broker before its instruction counts as done, and a partition is committed only
up to its lowest unfinished record: after a crash instructions come again, and meet the same idempotency key
at the provider.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping
from functools import partial
from typing import NoReturn

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from connectors.payments.lanes import Lanes
from connectors.payments.offsets import Progress
from connectors.payments.provider import PaymentProvider
from connectors.payments.settings import GatewaySettings
from connectors.runtime.standing import Standing
from schemas.check import OutOfBoundsError, check_of
from schemas.codec import UndecodableError
from schemas.envelope import Message, derived_id
from schemas.payment import PaymentInstruction, PaymentOutcome
from topics.burying import bury
from topics.command import command
from topics.consumers import member_async
from topics.dead_letter import attempts_before, letter_headers, said
from topics.producer import MessageProducer
from topics.redaction import shown
from topics.registry import PAYMENT_INSTRUCT, PAYMENT_OUTCOME
from topics.settings import Settings
from topics.skips import NONE, SkippedError, Skips, SkipsFollower
from topics.skips import REASON as SKIPPED
from topics.trace import trace_headers
from topics.wire import decode

GROUP = "ecommerce.payment-gateway"
NAME = SOURCE = "payment-gateway"

_POLL_MS = 200
_check = check_of(PaymentInstruction, ids=False)

_log = structlog.get_logger()


def _read(
    record: ConsumerRecord, skips: Skips = NONE
) -> tuple[str, Message[PaymentInstruction], dict[str, str] | None]:
    if skipped := skips.of(NAME, record.topic, record.partition, record.offset):
        raise skipped
    if not record.key:
        raise UndecodableError("the record has no key (order_id)")
    message = decode(PAYMENT_INSTRUCT, record.value or b"")
    _check(message)
    trace = {name: value.decode() for name, value in trace_headers(record.headers)}
    return record.key.decode(), message, trace or None


def _reason(error: Exception) -> str:
    if isinstance(error, OutOfBoundsError):
        return "out_of_bounds"
    if isinstance(error, SkippedError):
        return SKIPPED
    return "undecodable" if isinstance(error, UndecodableError | UnicodeDecodeError) else "unusable"


class Gateway(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka is untyped
    """One instance of the gateway; several share the partitions as one consumer group."""

    def __init__(self, settings: Settings, rules: GatewaySettings, provider: PaymentProvider) -> None:
        self._settings = settings
        self._rules = rules
        self._provider = provider
        self._producer = MessageProducer(settings, client_id=SOURCE)
        self._skipping = SkipsFollower(settings)
        self._lanes = Lanes(rules.in_flight)
        self._progress: dict[TopicPartition, Progress] = {}
        self._consumer: AIOKafkaConsumer | None = None
        self._outcomes: dict[str, int] = {}
        self._standing = Standing(settings, GROUP, [PAYMENT_INSTRUCT.name])

    def details(self) -> dict[str, str]:
        """Return counters for a health answer: instructions under way, and outcomes since the start."""
        return {"in_flight": str(len(self._lanes)), **{name: str(n) for name, n in self._outcomes.items()}}

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until `stop` is set; then finish what is under way and commit.

        Raises what keeps the gateway from serving (the broker gone for good, outcomes that cannot be sent).
        """
        consumer = member_async(
            self._settings, GROUP, SOURCE, tuning={"max_poll_records": self._rules.in_flight}
        )
        self._consumer = consumer
        async with self._producer, self._skipping:
            await self._standing.begin()
            watch = asyncio.create_task(self._standing.watch(), name="standing")
            consumer.subscribe([PAYMENT_INSTRUCT.name], listener=self)
            await consumer.start()
            _log.info("payment gateway started", provider=shown(self._settings.payment_provider_url))
            try:
                await self._serve(consumer, stop, watch)
                await self._lanes.drain()
                await self._commit(self._progress)
            finally:
                watch.cancel()
                await self._lanes.cancel()
                await consumer.stop()

    async def _serve(
        self, consumer: AIOKafkaConsumer, stop: asyncio.Event, watch: "asyncio.Task[NoReturn]"
    ) -> None:
        last_commit = time.monotonic()
        while not stop.is_set():
            if watch.done():
                # The topic was made anew: begun again, it is read from its beginning.
                watch.result()
            batches = await consumer.getmany(timeout_ms=_POLL_MS)
            for partition, records in batches.items():
                await self._accept(partition, records)
            self._lanes.check()
            if time.monotonic() - last_commit >= self._rules.commit_ms / 1000:
                await self._commit(self._progress)
                last_commit = time.monotonic()

    async def _accept(self, partition: TopicPartition, records: Iterable[ConsumerRecord]) -> None:
        for record in records:
            progress = self._progress.get(partition)
            if progress is None:
                # Taken away meanwhile: its new owner reads these records.
                return
            progress.begin(record.offset)
            key = record.key.decode(errors="replace") if record.key else ""
            await self._lanes.submit(key, partial(self._handle, record, progress))

    async def _handle(self, record: ConsumerRecord, progress: Progress) -> None:
        try:
            order_id, message, trace = _read(record, self._skipping.skips)
        except Exception as error:  # noqa: BLE001 # whatever a record holds, its partition goes on
            await self._bury(record, error)
        else:
            try:
                await self._perform(order_id, message, trace)
            except Exception as error:
                if isinstance(error, KafkaError) and not isinstance(error, MessageSizeTooLargeError):
                    raise
                # What the provider cannot even be asked, or nobody be told.
                await self._bury(record, error)
        progress.finish(record.offset)

    async def _perform(
        self, order_id: str, message: Message[PaymentInstruction], trace: dict[str, str] | None
    ) -> None:
        instruction = message.data
        answer = await self._provider.perform(order_id, instruction)
        self._outcomes[answer.outcome] = self._outcomes.get(answer.outcome, 0) + 1
        data = PaymentOutcome(
            operation=instruction.operation,
            idempotency_key=instruction.idempotency_key,
            outcome=answer.outcome,
            attempt=instruction.attempt,
            provider_reference=answer.reference,
            reason=answer.reason,
        )
        outcome = command(
            PAYMENT_OUTCOME,
            order_id,
            data,
            # The same answer to the same instruction is the same event, also after a crash.
            event_id=derived_id("payment-outcome", message.event_id, answer.outcome),
            correlation_id=message.correlation_id,
            causation_id=message.event_id,
            user_id=message.user_id,
            tenant_id=message.tenant_id,
            source=SOURCE,
        )
        await self._producer.send_and_wait(PAYMENT_OUTCOME, order_id, outcome, trace)

    async def _bury(self, record: ConsumerRecord, error: Exception) -> None:
        _log.warning("record dead-lettered", topic=record.topic, offset=record.offset, error=said(error))
        told = letter_headers(
            consumer=GROUP,
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            reason=_reason(error),
            failed_at=time.time_ns() // 1_000_000,
            error=error,
            attempt=1 + attempts_before(record.headers),
        )
        await bury(self._producer, PAYMENT_INSTRUCT.dead_letters, record, told)

    async def _commit(self, progress: Mapping[TopicPartition, Progress]) -> None:
        assert self._consumer is not None, "only a running gateway commits"
        due = {
            partition: position
            for partition, of_partition in progress.items()
            if (position := of_partition.uncommitted()) is not None
        }
        if not due:
            return
        try:
            await self._consumer.commit(
                {
                    partition: (position, self._standing.mark(partition.topic))
                    for partition, position in due.items()
                }
            )
        except KafkaError as error:
            # Tried again at the next turn; whoever reads these records again, the provider knows their keys.
            _log.info("position not committed", error=repr(error))
            return
        for partition, position in due.items():
            progress[partition].commit(position)

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Finish what is under way before another instance takes the partitions."""
        leaving, self._progress = self._progress, {}
        if revoked:
            await self._lanes.drain()
            await self._commit(leaving)

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Begin with the partitions of a new assignment."""
        self._progress = {partition: Progress() for partition in assigned}
        for partition in await self._standing.anew(assigned):
            assert self._consumer is not None, "only a running gateway is assigned partitions"
            self._consumer.seek(partition, 0)
