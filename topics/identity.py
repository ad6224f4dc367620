"""Which topic a name stands for: the id that the broker gave it when it was created (KIP-516).

A position belongs to an id, not to a name: where a topic was deleted and made anew its records begin anew,
and a group that goes on at the old offset passes over them. So a group's commits carry the id (`mark`) in
the text that Kafka keeps beside each committed offset.
"""

import asyncio
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Final, NoReturn

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient, TopicDescription

from topics.admin_client import asked
from topics.groups import commits
from topics.offsets import TIMEOUT_S, Place
from topics.settings import Settings

LOOK_S: Final = 3.0
"""How often a consumer that runs looks whether its topics are still those that it reads."""

_ANSWER_S: Final = 5.0

_MARK: Final = "topic="
_END: Final = ";"
"""Ends the id: what a client tells behind it is not of the mark."""
_UNKNOWN: Final = frozenset({KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC})  # noqa: SLF001 - the client's name


class TopicMadeAnewError(Exception):
    """A topic that is being read was deleted and created again: its new records have to be read from 0."""


async def topic_ids(
    settings: Settings, names: Collection[str], *, timeout_s: float = TIMEOUT_S
) -> dict[str, str]:
    """Return the topics' ids by name; a topic that was deleted and created again has another.

    Raises confluent_kafka.KafkaException where the broker does not answer or does not know one of them.
    """

    def ask(admin: AdminClient) -> dict[str, str]:
        answers = admin.describe_topics(TopicCollection(list(names)), request_timeout=timeout_s)
        return {name: str(answer.result().topic_id) for name, answer in answers.items()}

    return await asyncio.to_thread(asked, settings, ask)


def there(
    settings: Settings, names: Collection[str], timeout_s: float = TIMEOUT_S
) -> dict[str, TopicDescription]:
    """Return those of the topics that are there, with their ids and partitions; blocks.

    Raises confluent_kafka.KafkaException where the broker does not answer.
    """
    if not names:
        return {}

    def ask(admin: AdminClient) -> dict[str, TopicDescription]:
        found: dict[str, TopicDescription] = {}
        answers = admin.describe_topics(TopicCollection(list(names)), request_timeout=timeout_s)
        for name, answer in answers.items():
            try:
                found[name] = answer.result()
            except KafkaException as error:
                if error.args[0].code() not in _UNKNOWN:
                    raise
        return found

    return asked(settings, ask)


def ids_there(settings: Settings, names: Collection[str], timeout_s: float = TIMEOUT_S) -> dict[str, str]:
    """Return the ids of those of the topics that are there; blocks, and raises like `there`."""
    return {name: str(each.topic_id) for name, each in there(settings, names, timeout_s).items()}


def mark(topic_id: str | None) -> str:
    """Return what to keep beside a committed offset of the topic with that id."""
    return f"{_MARK}{topic_id}{_END}" if topic_id else ""


def marked(text: str | None) -> str | None:
    """Return the topic's id that a commit carries; None where it carries none, as before there were any."""
    if not text or not text.startswith(_MARK):
        return None
    topic_id, end, _ = text.removeprefix(_MARK).partition(_END)
    return topic_id if end else None


def stale(ids: Mapping[str, str], commits: Mapping[Place, str | None]) -> set[Place]:
    """Return which committed places are of another topic than the one that has the name now.

    `commits` has the id that each commit carries. A topic that is not there, or a commit without an id, tells
    nothing.
    """
    return {
        place
        for place, kept in commits.items()
        if kept is not None and place[0] in ids and ids[place[0]] != kept
    }


def changed(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Return the topics that have another id than before; one that is not there (any more) may come back."""
    return sorted(name for name, topic_id in now.items() if before.get(name, topic_id) != topic_id)


async def watch(settings: Settings, names: Collection[str], ids: dict[str, str]) -> NoReturn:
    """Look for ever whether the topics are still those of `ids`, which takes in what was not known yet.

    Raises TopicMadeAnewError where one is another.
    """
    while True:
        # Whoever reads the topics says that the broker is away.
        with suppress(KafkaException):
            now = await asyncio.to_thread(ids_there, settings, names, _ANSWER_S)
            if anew := changed(ids, now):
                raise TopicMadeAnewError(f"{', '.join(anew)}: deleted and created again")
            ids.update(now)
        await asyncio.sleep(LOOK_S)


def committed_ids(settings: Settings, group: str, timeout_s: float = TIMEOUT_S) -> dict[Place, str | None]:
    """Return the id that each of a group's committed offsets carries; blocks.

    Raises confluent_kafka.KafkaException where the broker does not answer.
    """
    found = commits(settings, [group], timeout_s)
    return {place: marked(each.text) for (_, place), each in found.items()}
