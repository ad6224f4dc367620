"""What may happen to workers: every step of their work, and everything that befalls them."""

from collections.abc import Callable
from typing import Any

from connectors.runtime.record import Record
from streams.kernel.errors import OwnershipLostError
from streams.kernel.ownership import Place
from tests.simulation.cluster import Cluster, Worker
from tests.simulation.lane import Lane
from tests.simulation.scene import Told


class WorkerMoves:
    """The moves of the workers. Each returns what happened, or None where it is not possible now."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._scene = cluster.scene

    def moves(self) -> dict[str, Callable[..., Told]]:
        """Return the moves by name."""
        return {
            "fetch": self.fetch,
            "work": self.work,
            "carry": self.carry,
            "rest": self.rest,
            "arm": self.arm,
            "fire": self.fire,
            "commit": self.commit,
            "crash": self.crash,
            "start": self.start,
            "stall": self.stall,
            "wake": self.wake,
            "expire": self.expire,
            "hear": self.hear,
            "rebalance": self.rebalance,
            "skew": self.skew,
            "compact": self.compact,
            "make-anew": self.make_anew,
        }

    # -- work ------------------------------------------------------------------------------------------

    def fetch(self, index: int, flow: str, partition: int, topic: str, count: int) -> Told:
        """A worker fetches records of one topic partition."""
        lane = self._cluster.lane(index, flow, partition)
        if lane is None or (topic, partition) not in lane.inbox.waiting:
            return None
        records = lane.fetch(topic, count)
        return self._scene.told(lambda: f"{self._who(index, lane)} fetches {self._records(records)}")

    def work(self, index: int, flow: str, partition: int) -> Told:
        """A worker decides what it has fetched; the changelog batch is on its way then."""
        lane = self._cluster.lane(index, flow, partition)
        if lane is None or lane.unit is not None or not lane.pending:
            return None
        records = list(lane.pending)
        done = self._guarded(index, lane, lane.begin)
        how = "which changes nothing" if done else "and sends the decision to its changelog"
        return self._scene.told(lambda: f"{self._who(index, lane)} decides {self._records(records)}, {how}")

    def carry(self, index: int, flow: str, partition: int) -> Told:
        """A unit of work goes on to its next effect."""
        lane = self._cluster.lane(index, flow, partition)
        if lane is None or lane.unit is None:
            return None
        opening, before = lane.opening, self._scene.broker.appended
        at = lane.unit.at
        done = self._guarded(index, lane, lane.carry)
        return self._scene.told(lambda: self._carried(index, lane, at, before, opening=opening, done=done))

    def _carried(
        self, index: int, lane: Lane, at: str, before: int, *, opening: bool, done: bool | None
    ) -> str:
        who, sent = self._who(index, lane), self._scene.broker.appended - before
        if done is None:
            return f"the broker refuses the changelog batch of {who}: it has a new owner; {who} ends"
        words = [f"{sent} outputs of {who} reach their topics"] if sent else []
        if at == "changelog: sent":
            words.append(f"the changelog has the decision of {who}")
        if opening and done:
            words.append(f"{who} is restored and open")
        elif done:
            words.append(f"{who} writes its store and is done")
        return "; ".join(words) or f"{who} goes on"

    def rest(self, index: int, flow: str, partition: int) -> Told:
        """A partition to which nothing comes has its last outputs taken from the changelog."""
        lane = self._cluster.lane(index, flow, partition)
        if lane is None or not lane.idle():
            return None
        self._guarded(index, lane, lane.rest)
        return self._scene.told(lambda: f"{self._who(index, lane)} rests, and forgets what it has sent")

    def arm(self, index: int, flow: str, partition: int) -> Told:
        """A worker arms the timers of the states that it has taken over."""
        lane = self._cluster.lane(index, flow, partition)
        if lane is None or not lane.arm():
            return None
        return self._scene.told(lambda: f"{self._who(index, lane)} arms its timers")

    def fire(self, index: int, flow: str, partition: int) -> Told:
        """A worker sends the records of timers that are due by its clock."""
        lane = self._cluster.lane(index, flow, partition)
        if lane is None or (lane.firing is None and not lane.due()):
            return None
        began = lane.firing is None
        lane.fire()
        return self._scene.told(
            lambda: f"{self._who(index, lane)} {'sends what its timers say' if began else 'has sent it'}"
        )

    def commit(self, index: int) -> Told:
        """A worker commits what it has applied; the coordinator takes it of an owner only."""
        worker = self._cluster.workers[index]
        if not worker.running or not worker.lanes:
            return None
        count = self._cluster.commit(worker)
        return self._scene.told(lambda: f"{worker.name} commits its offsets ({count} partitions)")

    # -- accidents -------------------------------------------------------------------------------------

    def crash(self, index: int, wipe: int) -> Told:
        """A worker dies where it stands, its disk kept or lost."""
        worker = self._cluster.workers[index]
        if not worker.alive:
            return None
        at = self._in_flight(worker)
        self._cluster.end(worker)
        if wipe:
            worker.disks = {}
        lost = "and loses its disk" if wipe else "and keeps its disk"
        return self._scene.told(lambda: f"{worker.name} dies {at}{lost}")

    def start(self, index: int, shift: int) -> Told:
        """A dead worker comes back: to its own partitions where nobody has noticed, else as a new member."""
        worker = self._cluster.workers[index]
        if worker.alive:
            return None
        worker.alive = True
        if worker.member:
            self._cluster.take_over(worker)
            return self._scene.told(lambda: f"{worker.name} starts again and takes its partitions back")
        worker.member = True
        self._cluster.rebalance(shift, graceful=True)
        return self._scene.told(lambda: f"{worker.name} starts and joins; the partitions are dealt out anew")

    def stall(self, index: int) -> Told:
        """A worker falls asleep, with all that it has in hand."""
        worker = self._cluster.workers[index]
        if not worker.running:
            return None
        worker.stalled = True
        return self._scene.told(lambda: f"{worker.name} falls asleep {self._in_flight(worker) or ''}")

    def wake(self, index: int) -> Told:
        """A worker wakes, and goes on with what it had in hand, whoever owns it now."""
        worker = self._cluster.workers[index]
        if not worker.stalled:
            return None
        worker.stalled = False
        knows = "" if worker.member else ", and does not know that it has been succeeded"
        return self._scene.told(lambda: f"{worker.name} wakes{knows}")

    def expire(self, index: int, shift: int) -> Told:
        """The coordinator gives up a worker that is dead or asleep, and deals its partitions out."""
        worker = self._cluster.workers[index]
        if not worker.member or worker.running:
            return None
        self._cluster.rebalance(shift, graceful=True)
        return self._scene.told(lambda: f"the group gives {worker.name} up; others take its partitions")

    def hear(self, index: int, shift: int) -> Told:
        """A worker that was succeeded hears of it: it forgets what it has in hand, and joins again."""
        worker = self._cluster.workers[index]
        if not worker.running or worker.member:
            return None
        worker.drop()
        worker.member = True
        self._cluster.rebalance(shift, graceful=True)
        return self._scene.told(lambda: f"{worker.name} hears that it was succeeded, and joins again")

    def rebalance(self, shift: int, grace: int) -> Told:
        """The partitions move, without anyone having failed."""
        if not any(worker.member and worker.running for worker in self._cluster.workers):
            return None
        self._cluster.rebalance(shift, graceful=bool(grace))
        left = "" if grace else "; what was in flight is left where it was"
        return self._scene.told(lambda: f"the partitions are dealt out anew{left}")

    def skew(self, index: int, milliseconds: int) -> Told:
        """A worker's clock is set: it runs ahead of the others, or behind."""
        self._cluster.workers[index].skew = milliseconds
        return self._scene.told(lambda: f"the clock of worker-{index} is {milliseconds:+} ms off")

    def compact(self, flow: str, partition: int) -> Told:
        """The broker compacts a changelog."""
        gone = self._cluster.changelogs[Place(flow, partition)].compact()
        if not gone:
            return None
        return self._scene.told(lambda: f"the changelog of {flow}/{partition} is compacted by {gone} records")

    def make_anew(self, topic: str, shift: int) -> Told:
        """A topic of which all was applied is deleted and created again, and the group forms anew."""
        broker = self._scene.broker
        if not any(broker.log(place) for place in broker.places([topic])) or not self._cluster.has_read(
            topic
        ):
            return None
        broker.make_anew(topic)
        self._cluster.rebalance(shift, graceful=True)
        return self._scene.told(lambda: f"{self._scene.names.topic(topic)} is deleted and made anew")

    def _guarded(self, index: int, lane: Lane, act: Callable[[], bool]) -> bool | None:
        try:
            return act()
        except OwnershipLostError:
            lane.unit = None
            self._cluster.fenced += 1
            self._cluster.end(self._cluster.workers[index])
            return None

    def _who(self, index: int, lane: Lane) -> str:
        return f"worker-{index} ({lane.name})"

    def _records(self, records: list[Record]) -> str:
        return ", ".join(self._scene.name_of(record) for record in records)

    def _in_flight(self, worker: Worker) -> str:
        at: list[Any] = [
            f"{lane.name} at '{lane.unit.at}'" for lane in worker.lanes.values() if lane.unit is not None
        ]
        return f"with {', '.join(at)} under way " if at else ""
