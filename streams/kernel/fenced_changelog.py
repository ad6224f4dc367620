"""The changelog on Kafka, with the broker as the judge of who may write it.

A transactional id per partition, `<app>-<changelog>-<partition>`, gives each new owner the same producer id
with a higher epoch (InitProducerId). The owner appends *ordinary* idempotent batches under that id and epoch;
there are no transactions, so nothing is ever aborted and every reader sees every batch. From the successor's
first batch on (`acquire` writes one) the leader answers INVALID_PRODUCER_EPOCH to the epochs before it.
Outputs are sent only after the changelog's answer, so a worker that lost its partition without knowing can
neither change state nor publish.

This room reaches under aiokafka's producer, which cannot produce non-transactional batches under a
transactional id: `record_batch` builds the batch, and `appends` the produce request. `tests/unit/kernel` pins
what they rely on; KIP-98 describes the broker's side.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Final

import aiokafka.errors as kafka_errors
import msgspec
import structlog
from aiokafka.client import ConnectionGroup, CoordinationType
from aiokafka.structs import TopicPartition

from streams.kernel.appends import Appends, renew_metadata
from streams.kernel.errors import OwnershipLostError
from streams.kernel.identity import NOBODY, Identity, obtain
from streams.kernel.layout import OWNER
from streams.kernel.ports import Entry
from streams.kernel.record_batch import build

log = structlog.get_logger(__name__)

FIRST_BACKOFF_S: Final = 0.05
MAX_BACKOFF_S: Final = 2.0

# The broker forgets a transactional id that has not begun a transaction for transactional.id.expiration.ms
# (seven days), and the successor would get an unrelated producer id: renew well before.
RENEW_AFTER_S: Final = 24 * 3600.0

_FENCED = (
    kafka_errors.InvalidProducerEpoch,
    kafka_errors.ProducerFenced,
    kafka_errors.OutOfOrderSequenceNumber,
)
_COORDINATOR_MOVES = (
    kafka_errors.CoordinatorNotAvailableError,
    kafka_errors.CoordinatorLoadInProgressError,
    kafka_errors.NotCoordinatorError,
    kafka_errors.ConcurrentTransactions,
)


class FencedChangelog:
    """One changelog partition as its owner writes it. Call `acquire` once, then `append`, one at a time.

    `owner` names the process in the ownership record. Both calls wait for a broker that is down, for ever;
    they raise OwnershipLostError once a successor has written.
    """

    def __init__(self, appends: Appends, app_id: str, topic: str, partition: int, owner: str) -> None:
        self._appends = appends
        self._client = appends.client
        self._transactional_id = f"{app_id}-{topic}-{partition}"
        self._place = TopicPartition(topic, partition)
        self._owner = owner
        self._identity = NOBODY
        self._sequence = 0
        self._acquired_at = 0.0

    @property
    def epoch(self) -> int:
        """The owner's epoch; every later owner's is higher."""
        return self._identity.epoch

    async def acquire(self) -> int:
        """Become the owner: fence everyone before, and return the offset of the ownership record."""
        await self._client.add_topic(self._place.topic)
        self._identity = await self._init_producer_id()
        self._sequence = 0
        self._acquired_at = time.monotonic()
        record = {"owner": self._owner, "epoch": self._identity.epoch, "since": time.time_ns() // 1_000_000}
        return await self._append([(OWNER, msgspec.json.encode(record))])

    async def append(self, entries: Sequence[Entry]) -> int:
        """Append the entries as one record batch; return the last offset when all replicas have it."""
        if time.monotonic() - self._acquired_at > RENEW_AFTER_S:
            await self.acquire()
        return await self._append(entries)

    async def _append(self, entries: Sequence[Entry]) -> int:
        batch = build(self._identity, self._sequence, [(key, value, ()) for key, value in entries])
        backoff = FIRST_BACKOFF_S
        while True:
            try:
                first = await self._appends.append(self._place, batch.data)
            except _FENCED as error:
                raise OwnershipLostError(
                    f"{self._place.topic}-{self._place.partition} has another owner: {error!r}"
                ) from error
            except kafka_errors.KafkaError as error:
                if not error.retriable:
                    raise
                log.warning(
                    "changelog not reachable, trying again",
                    topic=self._place.topic,
                    partition=self._place.partition,
                    error=repr(error),
                )
                await asyncio.sleep(backoff)
                backoff = min(backoff * 2, MAX_BACKOFF_S)
                await renew_metadata(self._client)
            else:
                self._sequence = batch.following
                return first + batch.count - 1

    async def _init_producer_id(self) -> Identity:
        backoff = FIRST_BACKOFF_S
        while True:
            try:
                node = await self._client.coordinator_lookup(
                    CoordinationType.TRANSACTION, self._transactional_id
                )
                return await obtain(self._client, node, self._transactional_id, ConnectionGroup.COORDINATION)
            except kafka_errors.KafkaError as error:
                if not (error.retriable or isinstance(error, _COORDINATOR_MOVES)):
                    raise
                await asyncio.sleep(backoff)
                backoff = min(backoff * 2, MAX_BACKOFF_S)
                await renew_metadata(self._client)
