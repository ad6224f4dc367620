"""Which partitions this worker owns: taking them over, feeding them, handing them over."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import structlog

from streams.kernel.flow import Flow, inner
from streams.kernel.intake import Handed
from streams.kernel.lane import Lane
from streams.kernel.meters import Meters
from streams.kernel.ports import Changelog, Clock, Content, Publisher, Store
from streams.kernel.sources import Sources
from streams.kernel.task import PartitionTask
from topics.skips import NONE, Skips

log = structlog.get_logger(__name__)

HANDOVER_GRACE_S = 5.0
TICK_S = 0.1


class Place(NamedTuple):
    """One partition of one flow."""

    flow: str
    partition: int


@dataclass(frozen=True, slots=True)
class Possession:
    """What an owner holds of a partition, once it is restored."""

    store: Store
    changelog: Changelog


class Takeover(Protocol):
    """Becoming the owner of partitions: fence the owner before, restore its state."""

    async def __call__(self, places: Sequence[Place]) -> Mapping[Place, Possession]:
        """Return the restored stores and the fenced changelogs of all `places`."""


async def _unknown() -> Sources:
    return Sources()


class Ownership:
    """The lanes of the partitions that this worker owns.

    `failed` is called, once per failing partition, with the error that stopped it; the worker has to end.
    `sources` tells what the source topics are.
    """

    def __init__(
        self,
        flows: Iterable[Flow[Any]],
        *,
        takeover: Takeover,
        publisher: Publisher,
        clock: Clock,
        meters: Meters,
        failed: Callable[[Exception], None],
        sources: Callable[[], Awaitable[Sources]] = _unknown,
        skips: Skips = NONE,
    ) -> None:
        self._flows = {flow.name: flow for flow in flows}
        self._takeover = takeover
        self._publisher = publisher
        self._clock = clock
        self._meters = meters
        self._failed = failed
        self._sources = sources
        self._skips = skips
        self._lanes: dict[Place, Lane] = {}
        self._readers: dict[str, tuple[str, ...]] = {}
        for flow in self._flows.values():
            for route in flow.routes:
                name = route.topic.name
                self._readers[name] = (*self._readers.get(name, ()), flow.name)
        self._inner = inner(self._flows.values())
        self._fed: dict[tuple[str, int], int] = {}

    async def assign(self, places: Iterable[Place]) -> None:
        """Own exactly `places`: let go of all, then take over, restore and open these."""
        await self.revoke()
        wanted = sorted(places)
        possessions = await self._takeover(wanted)
        # Not before: the owner before may have applied what came meanwhile.
        sources = await self._sources()
        tasks = [
            PartitionTask(
                self._flows[place.flow],
                place.partition,
                store=held.store,
                changelog=held.changelog,
                publisher=self._publisher,
                clock=self._clock,
                sources=sources,
                skips=self._skips,
            )
            for place, held in possessions.items()
        ]
        await asyncio.gather(*(task.open() for task in tasks))
        for task in tasks:
            lane = Lane(task, self._meters, self._failed)
            lane.start()
            self._lanes[Place(task.flow.name, task.partition)] = lane
        self._fed = {place: 0 for place in self.sources() if place[0] in self._inner}
        self._count()
        log.info("partitions owned", count=len(self._lanes))

    async def revoke(self) -> dict[tuple[str, int], int]:
        """Let go of everything: finish what is in flight, forget the rest. Returns what was applied."""
        lanes, self._lanes = self._lanes, {}
        self._fed = {}
        await asyncio.gather(*(lane.close(HANDOVER_GRACE_S) for lane in lanes.values()))
        self._count()
        return applied(lanes)

    def lane(self, flow: str, partition: int) -> Lane | None:
        """Return the lane of a partition, or None where it is not owned (any more)."""
        return self._lanes.get(Place(flow, partition))

    def begin(self, offsets: Mapping[tuple[str, int], int]) -> None:
        """Be told from where the sources' partitions are fetched."""
        for (topic, partition), offset in offsets.items():
            for reader in self._readers.get(topic, ()):
                if (lane := self._lanes.get(Place(reader, partition))) is not None:
                    lane.begin(topic, offset)

    def hand_over(self, topic: str, partition: int, first: int, sent: Sequence[Content]) -> None:
        """Give what the broker has from offset `first` on to the lanes that read it, where it comes next."""
        readers = self._readers.get(topic)
        if readers is None:
            return
        records = [Handed(topic, partition, offset, *content) for offset, content in enumerate(sent, first)]
        lanes = [self._lanes.get(Place(reader, partition)) for reader in readers]
        # Each of them, whether or not another has taken it.
        taken = [lane is not None and lane.hand(records) for lane in lanes]
        if topic not in self._inner:
            return
        if all(taken):
            self._fed[topic, partition] = first + len(records)
        else:
            self._fed.pop((topic, partition), None)

    def fed(self) -> dict[tuple[str, int], int]:
        """Return the source partitions to which only flows send, and the offset after what was handed over.

        Less those of which something was sent here and not taken: it has to be fetched at once. Where another
        worker has partitions, too, its flows hand over nothing here. May be called from any thread.
        """
        return self._fed.copy()

    @property
    def owned(self) -> int:
        """How many partitions are owned, over all flows."""
        return len(self._lanes)

    @property
    def backlog(self) -> int:
        """How many records have been fetched and are not applied yet."""
        return sum(lane.backlog for lane in self._lanes.values())

    def applied(self) -> dict[tuple[str, int], int]:
        """Return, per source topic and partition, the offset up to which all is applied (exclusive)."""
        return applied(self._lanes)

    def sources(self) -> set[tuple[str, int]]:
        """Return the source partitions of what is owned."""
        return {
            (route.topic.name, at.partition)
            for at, lane in self._lanes.items()
            for route in lane.task.flow.routes
        }

    def anew(self) -> set[tuple[str, int]]:
        """Return the source partitions that were made anew since their state was stored."""
        return {(topic, at.partition) for at, lane in self._lanes.items() for topic in lane.task.anew}

    async def run_timers(self) -> None:
        """Fire timers as they come due, for ever."""
        while True:
            await asyncio.sleep(TICK_S)
            now = self._clock()
            for place, lane in list(self._lanes.items()):
                due = lane.task.next_due()
                if due is not None and due <= now:
                    self._meters.timers(place.flow, await lane.task.fire_timers())

    def _count(self) -> None:
        for name in self._flows:
            self._meters.partitions(name, sum(place.flow == name for place in self._lanes))


class Owned(Protocol):
    """What holds a partition's task: a lane."""

    @property
    def task(self) -> PartitionTask[Any]:
        """The task."""


def applied(lanes: Mapping[Place, Owned]) -> dict[tuple[str, int], int]:
    """Return, per source topic and partition, the offset up to which all is applied (exclusive).

    A topic that several flows read has one offset in the group: that of the slowest, and none while one of
    them has not applied any record of it.
    """
    slowest: dict[tuple[str, int], int] = {}
    for place, lane in lanes.items():
        committable = lane.task.committable
        for route in lane.task.flow.routes:
            source = (route.topic.name, place.partition)
            offset = committable.get(route.topic.name, -1)
            slowest[source] = min(offset, slowest.get(source, offset))
    return {source: offset + 1 for source, offset in slowest.items() if offset >= 0}
