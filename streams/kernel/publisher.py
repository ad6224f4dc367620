"""The way out on Kafka: what all lanes have for a partition is one batch, and all batches are one request.

aiokafka's producer has a sender that is woken, a future and a message object for each batch; a batch of a
worker's lane is often one record, and cost as much to send as to decide.
"""

import asyncio
from collections.abc import Sequence

import aiokafka.errors as kafka_errors
import structlog
from aiokafka.client import AIOKafkaClient
from aiokafka.structs import TopicPartition
from confluent_kafka import murmur2

from streams.kernel.appends import REQUEST_TIMEOUT_MS, Appends, renew_metadata
from streams.kernel.identity import NOBODY, Identity, obtain
from streams.kernel.outgoing import FIRST_BACKOFF_S, MAX_BACKOFF_S, HandOver, Outgoing, to_nobody
from streams.kernel.ports import Output
from topics.connection import aiokafka_options
from topics.settings import Settings

log = structlog.get_logger(__name__)


class KafkaPublisher:
    """Sends outputs under one idempotent producer id; waits for a broker that is down, for ever.

    Outputs that are sent again under a new id, after an error that ended the one before, may be on the broker
    twice, under the same event ids. `hand_over` is told of all that the broker has, at once.
    """

    def __init__(self, settings: Settings, client_id: str, hand_over: HandOver = to_nobody) -> None:
        self._settings = settings
        self._client_id = client_id
        self._hand_over = hand_over
        self._client: AIOKafkaClient | None = None
        self._appends: Appends
        self._identity = NOBODY
        self._identifying = asyncio.Lock()
        self._counts: dict[str, int] = {}
        self._outgoing: dict[tuple[str, int], Outgoing] = {}

    async def start(self) -> None:
        """Connect; raises aiokafka's KafkaConnectionError where no broker answers."""
        client = AIOKafkaClient(
            **aiokafka_options(self._settings),
            client_id=self._client_id,
            request_timeout_ms=REQUEST_TIMEOUT_MS,
        )
        await client.bootstrap()
        self._client = client
        self._appends = Appends(client)
        self._identity = await self._identify()

    async def stop(self) -> None:
        """Disconnect; what is not sent by now fails with aiokafka's ProducerClosed."""
        outgoing, self._outgoing = self._outgoing, {}
        await asyncio.gather(*(each.close() for each in outgoing.values()))
        if self._client is not None:
            await self._client.close()
            self._client = None

    @property
    def answered(self) -> int:
        """How many requests the broker has answered, refusals included."""
        return 0 if self._client is None else self._appends.answered

    async def publish(self, outputs: Sequence[Output]) -> None:
        """Send the outputs, in order per partition, and wait until all replicas have them.

        Raises aiokafka's ProducerClosed before `start` and after `stop`.
        """
        if self._client is None:
            raise kafka_errors.ProducerClosed
        by_destination: dict[tuple[str, int], list[Output]] = {}
        counts = self._counts
        for output in outputs:
            topic, key = output.topic, output.key
            count = counts.get(topic)
            if count is None:
                count = counts[topic] = await self._count(topic)
            partition = 0 if key is None else murmur2(key, count)
            by_destination.setdefault((topic, partition), []).append(output)
        sent = [self._to(place).put(records) for place, records in by_destination.items()]
        if len(sent) == 1:
            await sent[0]
        else:
            await asyncio.gather(*sent)

    def _to(self, place: tuple[str, int]) -> Outgoing:
        outgoing = self._outgoing.get(place)
        if outgoing is None:
            outgoing = self._outgoing[place] = Outgoing(
                TopicPartition(*place), self._appends, lambda: self._identity, self._renew, self._hand_over
            )
        return outgoing

    async def _count(self, topic: str) -> int:
        backoff = FIRST_BACKOFF_S
        while True:
            if self._client is None:
                raise kafka_errors.ProducerClosed
            self._client.add_topic(topic)
            await renew_metadata(self._client)
            if partitions := self._client.cluster.partitions_for_topic(topic):
                return len(partitions)
            log.warning("topic not known, trying again", topic=topic)
            await asyncio.sleep(backoff)
            backoff = min(backoff * 2, MAX_BACKOFF_S)

    async def _renew(self, failed: Identity) -> None:
        """Replace an identity whose sequence is broken, or which the broker has forgotten."""
        async with self._identifying:
            if self._identity == failed:
                self._identity = await self._identify()

    async def _identify(self) -> Identity:
        backoff = FIRST_BACKOFF_S
        while True:
            if self._client is None:
                raise kafka_errors.ProducerClosed
            try:
                # Of a producer without transactions any broker takes the request.
                return await obtain(self._client, self._client.get_random_node())
            except kafka_errors.KafkaError as error:
                log.warning("no producer id, trying again", error=repr(error))
                await asyncio.sleep(backoff)
                backoff = min(backoff * 2, MAX_BACKOFF_S)
                await renew_metadata(self._client)
