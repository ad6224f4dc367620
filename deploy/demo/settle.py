"""Waiting until consumers have read what was written: a replay's points of rest.

A group that has never committed a partition counts as behind by all of it, so that a consumer that has only
just started is waited for too.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TypeVar

import stamina
from confluent_kafka import KafkaException

from topics.admin_client import client
from topics.groups import commits
from topics.offsets import TIMEOUT_S, Place, end_offsets, first_offsets
from topics.registry import TOPICS
from topics.settings import Settings

# Who reads what: consumer group -> names of the topics that it reads.
Readers = Mapping[str, Collection[str]]
Places = dict[Place, int]
T = TypeVar("T")

_POLL_S = 0.5
_BROKER_S = 30.0


class NotSettledError(Exception):
    """Consumers did not come to the end of their topics in time; the text names who and where."""


class Positions:
    """Where groups are against where topics end."""

    def __init__(self, settings: Settings, readers: Readers) -> None:
        self._settings = settings
        self._readers = readers
        self._read = frozenset(topic for read in readers.values() for topic in read)
        known = client(settings).list_topics(timeout=TIMEOUT_S).topics
        self._partitions = {
            topic: tuple(known[topic].partitions)
            for topic in sorted(self._read | TOPICS.keys())
            if topic in known
        }

    def written(self) -> int:
        """Return how many messages the platform's topics have seen."""
        return sum(self.ends(TOPICS).values())

    def ends(self, topics: Iterable[str] | None = None) -> Places:
        """Return the offset after the last record of every partition, of these topics or all read."""
        wanted = self._read if topics is None else topics
        places = {(topic, p) for topic in wanted for p in self._partitions.get(topic, ())}
        return _asked(lambda: end_offsets(self._settings, places))

    def behind(self, ends: Places) -> dict[tuple[str, str], int]:
        """Return by how many records each (group, topic) is behind `ends`; only where it is."""
        found: dict[tuple[str, str], int] = {}
        told = _asked(lambda: commits(self._settings, list(self._readers), _BROKER_S))
        for group, topics in self._readers.items():
            committed = {place: each.offset for (of, place), each in told.items() if of == group}
            read = [place for place in ends if place[0] in topics and ends[place] > 0]
            firsts = self._firsts({place for place in read if place not in committed})
            for place in read:
                left = ends[place] - committed.get(place, firsts.get(place, 0))
                if left > 0:
                    found[group, place[0]] = found.get((group, place[0]), 0) + left
        return found

    def lag(self) -> int:
        """Return by how many records all groups are behind now."""
        return sum(self.behind(self.ends()).values())

    def _firsts(self, places: set[Place]) -> Places:
        return _asked(lambda: first_offsets(self._settings, places))


def _asked(ask: Callable[[], T]) -> T:
    """Return what the broker tells, also one that was killed and comes back."""
    for attempt in stamina.retry_context(on=KafkaException, attempts=8, timeout=_BROKER_S, wait_max=3.0):
        with attempt:
            return ask()
    raise AssertionError("the last attempt returns or raises")


async def caught_up(positions: Positions, topics: Iterable[str], timeout_s: float) -> None:
    """Wait until every reader of these topics has read what they hold now.

    Raises NotSettledError after `timeout_s` without progress.
    """
    ends = await asyncio.to_thread(positions.ends, list(topics))
    await _until(lambda: positions.behind(ends), timeout_s)


async def settled(positions: Positions, timeout_s: float) -> None:
    """Wait until every reader has read everything, and nothing new came of it.

    Two looks in a row must agree, because a reader writes its outputs before it commits: lag zero everywhere
    at ends that have not moved means that no record is on its way. Raises NotSettledError after `timeout_s`
    without progress.
    """
    while True:
        ends = await asyncio.to_thread(positions.ends)
        await _until(lambda ends=ends: positions.behind(ends), timeout_s)  # type: ignore[misc] # bound here
        if await asyncio.to_thread(positions.ends) == ends:
            return


async def _until(look: Callable[[], dict[tuple[str, str], int]], timeout_s: float) -> None:
    least: int | None = None
    # Until a first look succeeds it is the broker that is waited for: a fresh one finds its coordinators.
    deadline = time.monotonic() + max(timeout_s, _BROKER_S)
    while True:
        try:
            behind = await asyncio.to_thread(look)
        except KafkaException as error:
            # A broker that is busy answers late: the deadline decides, not one look.
            found = f"the broker does not tell where consumers are: {error}"
        else:
            if not behind:
                return
            where = ", ".join(f"{group} by {n} in {topic}" for (group, topic), n in behind.items())
            found = f"consumers are behind and do not move: {where}"
            if least is None or sum(behind.values()) < least:
                least = sum(behind.values())
                deadline = time.monotonic() + timeout_s
        if time.monotonic() > deadline:
            raise NotSettledError(found)
        await asyncio.sleep(_POLL_S)
