"""One partition of one flow in one worker: the real unit of work, from effect to effect."""

from collections.abc import Callable, Sequence
from typing import Any
from zlib import crc32

from connectors.runtime.record import Record
from streams.kernel.flow import Flow
from streams.kernel.intake import Intake
from streams.kernel.ports import Changelog, Clock, Output, Publisher, Store
from streams.kernel.sources import Sources
from streams.kernel.task import PartitionTask
from tests.simulation.broker import Broker, Inbox, Place
from tests.simulation.effects import Unit, effect, finished

GROUP = "ecommerce.streams"

TaskFactory = Callable[..., PartitionTask[Any]]

HandOver = Callable[[list[Record]], None]
"""Is given records of one partition that the broker has."""


class BrokerPublisher:
    """The way out: one record batch per destination partition, sent one after the other.

    Their order is nobody's promise, so it is mixed: by the batches' own bytes, which makes it repeatable.
    What was sent is handed over when the broker's answer is there, and by then others may have sent more.
    """

    def __init__(self, broker: Broker, clock: Clock, hand_over: HandOver) -> None:
        self._broker = broker
        self._clock = clock
        self._hand_over = hand_over

    async def publish(self, outputs: Sequence[Output]) -> None:
        """Send the outputs, in order per partition."""
        batches: dict[Place, list[Output]] = {}
        for output in outputs:
            place = (output.topic, self._broker.partition_of(output.topic, output.key))
            batches.setdefault(place, []).append(output)
        for place in sorted(batches, key=lambda place: crc32(batches[place][0].value or b"")):
            sent = [self._broker.append(output, self._clock()) for output in batches[place]]
            await effect("outputs: sent")
            self._hand_over(sent)


class Lane:
    """A partition's task, what it has fetched, and its work under way. `opening` until it may take any."""

    def __init__(
        self,
        make: TaskFactory,
        flow: Flow[Any],
        partition: int,
        *,
        broker: Broker,
        store: Store,
        changelog: Changelog,
        publisher: Publisher,
        clock: Clock,
    ) -> None:
        self.flow = flow
        self.partition = partition
        places = [(route.topic.name, partition) for route in flow.routes]
        self.ids = {topic: broker.id_of(topic) for topic, _ in places}
        self.task = make(
            flow,
            partition,
            store=store,
            changelog=changelog,
            publisher=publisher,
            clock=clock,
            sources=Sources(self.ids, {place: len(broker.log(place)) for place in places}),
        )
        self.inbox = Inbox(broker, GROUP, places)
        self.intake = Intake()
        for (topic, _), offset in self.inbox.cursors.items():
            self.intake.begin(topic, offset)
        self.pending: list[Record] = []
        self.unit: Unit | None = Unit(self.task.open())
        self.opening = True
        self.armed = False
        self.resting = False
        self.firing: Unit | None = None
        self._clock = clock

    @property
    def name(self) -> str:
        """Return the lane's name for people."""
        return f"{self.flow.name}/{self.partition}"

    def fetch(self, topic: str, count: int) -> list[Record]:
        """Take records of one topic into the queue, but for those that were handed over."""
        records = self.inbox.fetch((topic, self.partition), count)
        self.pending += self.intake.fetched(records)
        return records

    def hand(self, records: list[Record]) -> None:
        """Take records of one topic into the queue, if they come next; most of them are fetched no more."""
        first, last = records[0], records[-1]
        place = (first.topic, self.partition)
        if place not in self.inbox.cursors or not self.intake.handed(first.topic, first.offset, len(records)):
            return
        self.pending += records
        # A fetch that was under way meanwhile brings them, too.
        if crc32(last.value or b"") % 4:
            self.inbox.skip(place, last.offset + 1)

    def begin(self) -> bool:
        """Begin a unit of work over all that is queued; return whether it is done already."""
        self.unit = Unit(self.task.apply(list(self.pending)))
        return self.carry()

    def carry(self) -> bool:
        """Carry the opening or the unit of work to its next effect. Raises what it raises."""
        assert self.unit is not None
        if not self.unit.carry():
            return False
        if self.opening:
            self.opening = False
        elif self.resting:
            self.resting = False
        else:
            del self.pending[: self.unit.result.consumed]
        self.unit = None
        return True

    def idle(self) -> bool:
        """Say whether the lane has nothing to do, and outputs to forget."""
        return self.unit is None and not self.pending and self.task.repeats

    def rest(self) -> bool:
        """Begin to forget the outputs of the last batch; return whether it is done already."""
        self.resting = True
        self.unit = Unit(self.task.forget_outputs())
        return self.carry()

    def arm(self) -> bool:
        """Arm the timers of the states that are stored, beside whatever is under way; once."""
        if self.opening or self.armed:
            return False
        finished(self.task.arm_timers())
        self.armed = True
        return True

    def due(self) -> bool:
        """Say whether a timer is due, by this worker's clock."""
        if not self.armed or self.firing is not None:
            return False
        due = self.task.next_due()
        return due is not None and due <= self._clock()

    def fire(self) -> bool:
        """Begin, or carry on, to send a record for each timer that is due."""
        if self.firing is None:
            self.firing = Unit(self.task.fire_timers())
        if self.firing.carry():
            self.firing = None
            return True
        return False

    def busy(self) -> bool:
        """Say whether anything is under way or waits."""
        return bool(self.unit or self.firing or self.pending or self.inbox.waiting or not self.armed)

    def has_read(self, topic: str) -> bool:
        """Say whether nothing of a topic waits or is under way."""
        waits = (topic, self.partition) in self.inbox.waiting
        return self.unit is None and not waits and all(record.topic != topic for record in self.pending)

    def drop(self) -> None:
        """Forget everything that was in memory."""
        for unit in (self.unit, self.firing):
            if unit is not None:
                unit.drop()
        self.unit = self.firing = None
        self.inbox.close()

    def signature(self) -> int:
        """Return a number for where the lane stands."""
        return hash(
            (
                tuple(self.inbox.cursors.values()),
                len(self.pending),
                0 if self.unit is None else crc32(self.unit.at.encode()),
                self.firing is not None,
            )
        )
