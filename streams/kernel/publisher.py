"""The way out on Kafka: a batch's outputs as one record batch per destination partition."""

import asyncio
from collections.abc import Sequence

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, ProducerClosed
from confluent_kafka import murmur2

from streams.kernel.ports import Output

log = structlog.get_logger(__name__)

# The broker's limit for a record batch of an ordinary topic is 1 MiB.
MAX_BATCH_BYTES = 1_000_000
FIRST_BACKOFF_S = 0.1
MAX_BACKOFF_S = 5.0

Destination = tuple[str, int]


class KafkaPublisher:
    """Sends outputs by one idempotent producer; waits for a broker that is down, for ever.

    Outputs that are sent again after an error may be on the broker twice, under the same event ids.
    """

    def __init__(self, bootstrap: str, client_id: str) -> None:
        self._bootstrap = bootstrap
        self._client_id = client_id
        self._producer: AIOKafkaProducer | None = None
        self._renewing = asyncio.Lock()
        self._counts: dict[str, int] = {}

    async def start(self) -> None:
        """Connect; raises aiokafka's KafkaConnectionError where no broker answers."""
        producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap,
            client_id=self._client_id,
            enable_idempotence=True,
            acks="all",
            linger_ms=0,
            max_batch_size=MAX_BATCH_BYTES,
            max_request_size=2 * MAX_BATCH_BYTES,
        )
        await producer.start()
        self._producer = producer

    async def stop(self) -> None:
        """Disconnect, after what is queued was sent."""
        if self._producer is not None:
            await self._producer.stop()
            self._producer = None

    async def publish(self, outputs: Sequence[Output]) -> None:
        """Send the outputs, in order per partition, and wait until all replicas have them."""
        backoff = FIRST_BACKOFF_S
        while True:
            producer = self._producer
            if producer is None:
                raise ProducerClosed
            try:
                await self._send(producer, outputs)
            except KafkaError as error:
                log.warning("outputs not sent, trying again", count=len(outputs), error=repr(error))
                await asyncio.sleep(backoff)
                backoff = min(backoff * 2, MAX_BACKOFF_S)
                if not error.retriable:
                    await self._renew(producer)
            else:
                return

    async def _send(self, producer: AIOKafkaProducer, outputs: Sequence[Output]) -> None:
        by_destination: dict[Destination, list[Output]] = {}
        counts = self._counts
        for output in outputs:
            topic, key = output.topic, output.key
            count = counts.get(topic)
            if count is None:
                count = counts[topic] = len(await producer.partitions_for(topic))
            partition = 0 if key is None else murmur2(key, count)
            by_destination.setdefault((topic, partition), []).append(output)
        sent = []
        for place, records in by_destination.items():
            sent += await self._queue(producer, place, records)
        await asyncio.gather(*sent)

    @staticmethod
    async def _queue(
        producer: AIOKafkaProducer, place: Destination, records: list[Output]
    ) -> list["asyncio.Future[object]"]:
        topic, partition = place
        futures = []
        batch = producer.create_batch()
        for record in records:
            headers = list(record.headers)
            while batch.append(key=record.key, value=record.value, timestamp=None, headers=headers) is None:
                futures.append(await producer.send_batch(batch, topic, partition=partition))
                batch = producer.create_batch()
        batch.close()
        futures.append(await producer.send_batch(batch, topic, partition=partition))
        return futures

    async def _renew(self, failed: AIOKafkaProducer) -> None:
        """Replace a producer that cannot recover (its sequence is broken, or its sender died)."""
        async with self._renewing:
            current = self._producer
            if current is not None and current is failed:
                await current.stop()
                await self.start()
