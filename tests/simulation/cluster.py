"""The workers and their group: who owns which partition, who only believes to, and what a crash leaves."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from connectors.runtime.record import Record
from streams.kernel.errors import OwnershipLostError
from streams.kernel.flow import Flow
from streams.kernel.memory import MemoryStore
from streams.kernel.ownership import Place, applied
from streams.kernel.ports import Clock, Publisher
from tests.simulation.durable import Changelog, ChangelogWriter
from tests.simulation.lane import GROUP, BrokerPublisher, Lane, TaskFactory
from tests.simulation.scene import Scene


@dataclass
class Worker:
    """A process. `member` is what the coordinator believes; `stalled` is asleep without knowing it."""

    index: int
    alive: bool = False
    stalled: bool = False
    member: bool = False
    skew: int = 0
    disks: dict[Place, MemoryStore] = field(default_factory=dict)
    lanes: dict[Place, Lane] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Return the worker's name for people."""
        return f"worker-{self.index}"

    @property
    def running(self) -> bool:
        """Say whether the process does anything."""
        return self.alive and not self.stalled

    def drop(self) -> None:
        """Forget all lanes, with whatever they were at."""
        for lane in self.lanes.values():
            lane.drop()
        self.lanes = {}


class Cluster:
    """Workers that share the partitions of all flows, and the changelogs that say who may write."""

    def __init__(
        self, scene: Scene, flows: Sequence[Flow[Any]], workers: int, make_task: TaskFactory
    ) -> None:
        self.scene = scene
        self.flows = {flow.name: flow for flow in flows}
        self.places = [
            Place(flow.name, partition) for flow in flows for partition in range(scene.broker.partitions)
        ]
        self.workers = [Worker(index) for index in range(workers)]
        self.changelogs = {place: Changelog() for place in self.places}
        self.owners: dict[Place, int] = {}
        self.fenced = 0
        self._make_task = make_task

    def lane(self, worker: int, flow: str, partition: int) -> Lane | None:
        """Return a lane of a worker that runs, or None."""
        found = self.workers[worker]
        return found.lanes.get(Place(flow, partition)) if found.running else None

    def rebalance(self, shift: int, *, graceful: bool) -> None:
        """Deal the partitions out again among the members.

        Each running member lets go of everything first: with grace it finishes what is in flight, without,
        its batches in flight are left where they are. One that is dead or asleep is a member no more, and
        hears of nothing.
        """
        for worker in self.workers:
            worker.member = worker.member and worker.running
            if worker.member and graceful:
                self._finish(worker)
        members = [worker for worker in self.workers if worker.member]
        for worker in members:
            self.commit(worker)
            worker.drop()
        self.owners = {}
        for place in self.places if members else ():
            # Partitions of one number go together: their topics meet in the flows.
            self.owners[place] = members[(place.partition + shift) % len(members)].index
        for worker in members:
            self.take_over(worker)

    def take_over(self, worker: Worker) -> None:
        """Let a worker own what the group has given it: fence the owner before, restore, open."""
        for place, index in self.owners.items():
            if index == worker.index:
                self._own(worker, place)

    def _finish(self, worker: Worker) -> None:
        for lane in list(worker.lanes.values()):
            try:
                while lane.unit is not None and worker.alive:
                    lane.carry()
            except OwnershipLostError:
                self.end(worker)
                worker.member = False

    def _own(self, worker: Worker, place: Place) -> None:
        changelog = self.changelogs[place]
        writer = ChangelogWriter(changelog, lambda: self.scene.now)
        disk = worker.disks.setdefault(place, MemoryStore())
        changelog.restore(disk)

        def clock() -> int:
            return self.scene.now + worker.skew

        worker.lanes[place] = Lane(
            self._make_task,
            self.flows[place.flow],
            place.partition,
            broker=self.scene.broker,
            store=disk,
            changelog=writer,
            publisher=self.publisher(worker, clock),
            clock=clock,
        )

    def publisher(self, worker: Worker, clock: Clock) -> Publisher:
        """Return a worker's way out, which hands over to the lanes that the worker has by then."""
        return BrokerPublisher(self.scene.broker, clock, partial(self._hand_over, worker))

    def _hand_over(self, worker: Worker, records: list[Record]) -> None:
        for place, lane in worker.lanes.items():
            if place.partition == records[0].partition:
                lane.hand(records)

    def commit(self, worker: Worker) -> int:
        """Commit what the worker has applied, of the partitions that the coordinator thinks are its own."""
        offsets = {
            source: offset
            for source, offset in self.applied(worker).items()
            if self.owners.get(Place(next(iter(self.flows)), source[1])) == worker.index
        }
        ids = {topic: each for lane in worker.lanes.values() for topic, each in lane.ids.items()}
        for source, offset in offsets.items():
            self.scene.broker.commit(GROUP, source, offset, ids[source[0]])
        return len(offsets)

    def has_read(self, topic: str) -> bool:
        """Say whether all that the topic holds was applied, by owners that run."""
        for place in self.places:
            if topic not in {route.topic.name for route in self.flows[place.flow].routes}:
                continue
            lane = self.lane(self.owners[place], *place) if place in self.owners else None
            if lane is None or not lane.has_read(topic):
                return False
        return True

    def applied(self, worker: Worker) -> dict[tuple[str, int], int]:
        """Return what a worker may commit, per topic partition: the kernel's own answer."""
        return applied(worker.lanes)

    def end(self, worker: Worker) -> None:
        """The process is gone; what the coordinator knows of it stays until it finds out."""
        worker.drop()
        worker.alive = worker.stalled = False
