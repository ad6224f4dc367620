"""The Kafka side of a sink connector: a consumer that has found its broker, and what it consumes."""

import asyncio
from collections.abc import Collection, Mapping

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import KafkaConnectionError

from connectors.runtime.record import Record
from topics.settings import Settings

# The broker gathers this long, or this much, before it answers a sink of many topics: a fetch asks for every
# partition of each, so that one per record cost more than all the records' work. A sink of a few topics (the
# carts, which shoppers read back at once) asks cheaply, and gets each record as it comes.
FEW_TOPICS = 4
GATHERED_MS = 40
GATHERED_BYTES = 256 * 1024


async def member(
    settings: Settings,
    client_id: str,
    group: str,
    topics: Collection[str],
    listener: ConsumerRebalanceListener,
) -> AIOKafkaConsumer:
    """Return a consumer that has joined `group`, from the topics' start where nothing is committed.

    Raises KafkaConnectionError where no broker answers.
    """
    # Range, as topics that meet in a view are co-partitioned: one member gets all of an order's events.
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap,
        client_id=client_id,
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        partition_assignment_strategy=(RangePartitionAssignor,),
        fetch_min_bytes=GATHERED_BYTES if len(topics) > FEW_TOPICS else 1,
        fetch_max_wait_ms=GATHERED_MS,
    )
    consumer.subscribe(sorted(topics), listener=listener)
    return await _started(consumer)


async def reader(
    settings: Settings, client_id: str, positions: Mapping[TopicPartition, int]
) -> AIOKafkaConsumer:
    """Return a consumer of exactly these partitions, from these offsets on.

    Raises KafkaConnectionError where no broker answers.
    """
    consumer = await _started(
        AIOKafkaConsumer(
            bootstrap_servers=settings.kafka_bootstrap,
            client_id=client_id,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
    )
    consumer.assign(list(positions))
    for partition, offset in positions.items():
        consumer.seek(partition, offset)
    # aiokafka 0.14 raises when it is stopped before a task that it has just made has begun.
    await asyncio.sleep(0)
    return consumer


def record_of(consumed: ConsumerRecord) -> Record:
    """Return a consumed record as the runtime passes it on."""
    return Record(
        topic=consumed.topic,
        partition=consumed.partition,
        offset=consumed.offset,
        timestamp=consumed.timestamp,
        key=consumed.key,
        value=consumed.value,
        headers=tuple(consumed.headers),
    )


async def _started(consumer: AIOKafkaConsumer) -> AIOKafkaConsumer:
    try:
        await consumer.start()
    except KafkaConnectionError:
        await consumer.stop()
        raise
    return consumer
