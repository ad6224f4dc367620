"""Creating the registry's topics on a broker, and naming where the broker differs."""

from collections.abc import Iterator

import msgspec
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (
    AdminClient,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
    TopicMetadata,
)

from schemas.lock import lock
from topics.admin_client import asked
from topics.offsets import TIMEOUT_S, await_leaders
from topics.patience import patiently
from topics.registry import CHANGELOGS, DEAD_LETTERS, REDRIVES, SCHEMAS, SKIPS, TOPICS
from topics.schema_topic import publish
from topics.settings import Settings
from topics.topic import RawTopic, Topic

AnyTopic = Topic[msgspec.Struct] | RawTopic


def all_topics() -> list[AnyTopic]:
    """Return every topic that the platform needs: messages, dead letters, schemas, changelogs."""
    return [*TOPICS.values(), *DEAD_LETTERS.values(), REDRIVES, SKIPS, SCHEMAS, *CHANGELOGS.values()]


def config_of(topic: AnyTopic) -> dict[str, str]:
    """Return the broker settings that a topic declares."""
    config = {"cleanup.policy": topic.cleanup.value}
    if topic.cleanup == "compact":
        # A changelog is read whole at a fresh start: compact early, keep tombstones for a day.
        config |= {"min.cleanable.dirty.ratio": "0.2", "segment.ms": "3600000"}
    else:
        config["retention.ms"] = str(topic.retention_ms)
    if isinstance(topic, RawTopic) and topic.max_message_bytes:
        config["max.message.bytes"] = str(topic.max_message_bytes)
    return config


def partitions_of(topic: AnyTopic, settings: Settings) -> int:
    """Return how many partitions a topic has under these settings."""
    return topic.partitions or settings.partitions


class PartitionsChangedError(Exception):
    """The topics that are there have another number of partitions than the settings say."""


def refuse_other_partitions(settings: Settings) -> None:
    """Raise PartitionsChangedError where a topic that is there has other partitions than the settings say.

    A key's partition follows from their number: under another one its next record would meet another worker's
    state. Raises confluent_kafka.KafkaException where the broker does not answer.
    """
    known = asked(settings, _listed)
    for topic in all_topics():
        found = known.get(topic.name)
        has, wants = len(found.partitions) if found is not None else 0, partitions_of(topic, settings)
        if has and has != wants and topic.partitions is None:
            raise PartitionsChangedError(
                f"ECOMMERCE_PARTITIONS is {wants}, but {topic.name} and its state have {has}, and a key's"
                f" place follows from that number: set ECOMMERCE_PARTITIONS={has}, or begin anew with"
                " `ecommerce reset` (docs/operations.md, Other partitions)"
            )


def create(settings: Settings) -> list[str]:
    """Create the topics that are missing and return their names; publish this release's schemas.

    When it returns, every partition of a new topic has a leader that serves.

    Raises confluent_kafka.KafkaException where the broker refuses one or cannot serve within a minute, and
    `topics.schema_topic.SchemaConflictError` where another release gave one of the schemas' ids away. Raises
    PartitionsChangedError, before anything is created, where the topics that are there have others.
    """
    patiently(lambda: refuse_other_partitions(settings))
    new = [
        NewTopic(
            topic.name,
            num_partitions=partitions_of(topic, settings),
            replication_factor=settings.replication,
            config=config_of(topic),
        )
        for topic in all_topics()
    ]
    created: set[str] = set()

    def ask(admin: AdminClient) -> None:
        for name, future in admin.create_topics(new, request_timeout=TIMEOUT_S).items():
            try:
                future.result()
                created.add(name)
            except KafkaException as error:
                if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                    raise

    patiently(lambda: asked(settings, ask))
    await_leaders(
        settings,
        {
            (each.topic, number)
            for each in new
            if each.topic in created
            for number in range(each.num_partitions)
        },
    )
    patiently(lambda: publish(settings, lock()))
    return sorted(created)


def verify(settings: Settings) -> list[str]:
    """Return where the broker's topics differ from the registry; empty when they agree."""
    known = patiently(lambda: asked(settings, _listed))
    present = [topic for topic in all_topics() if topic.name in known]
    found = [f"{topic.name}: is missing" for topic in all_topics() if topic.name not in known]
    for topic in present:
        has, wants = len(known[topic.name].partitions), partitions_of(topic, settings)
        if has != wants:
            found.append(f"{topic.name}: partitions is {has}, must be {wants}")
    resources = {ConfigResource(ResourceType.TOPIC, topic.name): topic for topic in present}
    if resources:
        for resource, has_config in asked(settings, lambda admin: _configs(admin, list(resources))).items():
            found += _differences(resources[resource], has_config)
    return sorted(found)


def _configs(
    admin: AdminClient, resources: list[ConfigResource]
) -> dict[ConfigResource, dict[str, ConfigEntry]]:
    answers = admin.describe_configs(resources, request_timeout=TIMEOUT_S)
    return {resource: answer.result() for resource, answer in answers.items()}


def _listed(admin: AdminClient) -> dict[str, TopicMetadata]:
    known: dict[str, TopicMetadata] = admin.list_topics(timeout=TIMEOUT_S).topics
    return known


def _differences(topic: AnyTopic, has: dict[str, ConfigEntry]) -> Iterator[str]:
    for name, wants in config_of(topic).items():
        value = has[name].value
        if value != wants:
            yield f"{topic.name}: {name} is {value}, must be {wants}"
