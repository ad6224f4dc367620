"""Which topic a name stands for: the id that the broker gave it when it was created (KIP-516)."""

import asyncio
from collections.abc import Collection

from confluent_kafka import TopicCollection

from topics.admin import client
from topics.offsets import TIMEOUT_S
from topics.settings import Settings


async def topic_ids(
    settings: Settings, names: Collection[str], *, timeout_s: float = TIMEOUT_S
) -> dict[str, str]:
    """Return the topics' ids by name; a topic that was deleted and created again has another.

    Raises confluent_kafka.KafkaException where the broker does not answer or does not know one of them.
    """
    answers = client(settings).describe_topics(TopicCollection(list(names)), request_timeout=timeout_s)
    return {name: str((await asyncio.wrap_future(answer)).topic_id) for name, answer in answers.items()}
