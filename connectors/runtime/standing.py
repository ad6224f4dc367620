"""Where a group's member begins to read, and whether its topics are still those that it reads."""

import asyncio
from collections.abc import Collection
from typing import NoReturn

import structlog
from aiokafka import TopicPartition
from confluent_kafka import KafkaException

from topics.identity import committed_ids, ids_there, mark, stale, watch
from topics.settings import Settings

log = structlog.get_logger(__name__)

_ANSWER_S = 5.0


class Standing:
    """The ids of a group's topics, as its commits carry them."""

    def __init__(self, settings: Settings, group: str, topics: Collection[str]) -> None:
        self._settings = settings
        self._group = group
        self._topics = topics
        self._ids: dict[str, str] = {}

    async def begin(self) -> None:
        """Learn which topics the names stand for; what is not learned now, `watch` learns."""
        try:
            self._ids = await asyncio.to_thread(ids_there, self._settings, self._topics, _ANSWER_S)
        except KafkaException as error:
            log.warning("standing.ids_unknown", group=self._group, error=str(error))

    async def anew(self, partitions: Collection[TopicPartition]) -> set[TopicPartition]:
        """Return which of these the group committed for a topic that was made anew since."""
        try:
            commits = await asyncio.to_thread(committed_ids, self._settings, self._group, _ANSWER_S)
        except KafkaException as error:
            log.warning("standing.commits_unknown", group=self._group, error=str(error))
            return set()
        found = {TopicPartition(*place) for place in stale(self._ids, commits)}.intersection(partitions)
        for topic, partition in sorted(found):
            log.warning("standing.topic_made_anew", group=self._group, topic=topic, partition=partition)
        return found

    def mark(self, topic: str) -> str:
        """Return what to keep beside a committed offset of a topic."""
        return mark(self._ids.get(topic))

    async def watch(self) -> NoReturn:
        """Look for ever; raises TopicMadeAnewError where a topic was made anew."""
        await watch(self._settings, self._topics, self._ids)
