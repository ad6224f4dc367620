"""Deleting a topic and creating it again under whoever reads it."""

from confluent_kafka.admin import NewTopic

from tests.eventually import eventually
from topics.admin_client import client
from topics.offsets import await_leaders
from topics.settings import Settings


def make_anew(settings: Settings, topic: str, partitions: int | None = None) -> None:
    """Delete the topic, let everybody see that it is gone, and create it again."""
    remove(settings, topic)
    create(settings, topic, partitions)


def swap(settings: Settings, topic: str, partitions: int | None = None) -> None:
    """Make the topic anew before anybody can see that it is gone."""
    client(settings).delete_topics([topic])
    create(settings, topic, partitions)


def remove(settings: Settings, topic: str) -> None:
    """Delete the topic, and wait until the broker knows none of the name."""
    admin = client(settings)
    admin.delete_topics([topic])[topic].result()
    eventually(lambda: topic not in admin.list_topics(timeout=10).topics)


def create(settings: Settings, topic: str, partitions: int | None = None) -> None:
    """Create a topic, and wait until it can be written."""
    admin = client(settings)
    count = partitions or settings.partitions
    admin.create_topics([NewTopic(topic, count, 1)])[topic].result()
    await_leaders(settings, {(topic, each) for each in range(count)})
