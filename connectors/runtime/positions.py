"""Where topics end: what a reader without a group reads up to."""

from collections.abc import Iterable

from aiokafka import AIOKafkaConsumer, TopicPartition

from topics.settings import Settings


async def ends(settings: Settings, topics: Iterable[str]) -> dict[TopicPartition, int]:
    """Return the offset after the last record of each partition of the topics.

    Raises aiokafka's errors where the broker does not answer or does not know a topic.
    """
    consumer = AIOKafkaConsumer(
        *topics, bootstrap_servers=settings.kafka_bootstrap, group_id=None, enable_auto_commit=False
    )
    await consumer.start()
    try:
        offsets: dict[TopicPartition, int] = await consumer.end_offsets(list(consumer.assignment()))
        return offsets
    finally:
        await consumer.stop()
