"""A sink: real projections, real batches to real sinks, whose servers are in memory. Flush, then commit."""

from collections.abc import Callable, Sequence
from typing import Any

from connectors.runtime.delivery import deliver
from connectors.runtime.projection import AnyProjection
from connectors.runtime.record import Record
from connectors.runtime.sink import Entry, Sink, SinkUnavailableError
from streams.kernel.ports import Output
from tests.simulation.broker import Inbox, Place
from tests.simulation.effects import Unit
from tests.simulation.scene import Scene, Told
from topics.registry import DEAD_LETTERS


class SinkMember:
    """A member of a sink's group: what it has in hand, its way to its server, and its commits.

    Once `fenced` the broker takes no commit of it any more: its partitions are another's.
    """

    def __init__(
        self, scene: Scene, group: str, projections: Sequence[AnyProjection[Any]], sink: Sink[Any]
    ) -> None:
        self.scene = scene
        self.in_hand: list[Record] = []
        self.fenced = False
        self.inbox = Inbox(scene.broker, group, scene.broker.places(each.topic.name for each in projections))
        self._group = group
        self._projections = {each.topic.name: each for each in projections}
        self._sink = sink

    async def land(self) -> None:
        """Write what is in hand, and only then commit it."""
        await self.flush()
        self.commit()
        self.in_hand = []

    async def flush(self) -> None:
        """Write what is in hand. Raises SinkUnavailableError where the server is away."""
        entries: list[Entry[Any]] = []
        for record in self.in_hand:
            try:
                rows = self._projections[record.topic].rows(record)
            except Exception as error:  # noqa: BLE001 # as the runtime: the record is the cause
                self._bury(record, error)
            else:
                entries.append(Entry(record, rows))
        await deliver(self._sink, entries, self._refuse)

    def commit(self) -> None:
        """Commit what is in hand."""
        for record in self.in_hand if not self.fenced else ():
            self.scene.broker.commit(self._group, (record.topic, record.partition), record.offset + 1)

    async def _refuse(self, entry: Entry[Any], error: BaseException | str) -> None:
        self._bury(entry.record, error)

    def _bury(self, record: Record, error: BaseException | str) -> None:
        headers = (("reason", b"refused"), ("error", str(error).encode()))
        letter = Output(DEAD_LETTERS["sink"].name, record.key, record.value, headers)
        self.scene.broker.append(letter, self.scene.now)


class SinkMoves:
    """One sink's moves. A member that is succeeded goes on with its write: that lands, its commit not."""

    def __init__(
        self,
        scene: Scene,
        name: str,
        projections: Sequence[AnyProjection[Any]],
        server: Callable[[], Sink[Any]],
        make: type[SinkMember] = SinkMember,
    ) -> None:
        self._scene = scene
        self.name = name
        self._projections = projections
        self._server = server
        self._make = make
        self.zombies: list[Unit] = []
        self._start()

    def _start(self) -> None:
        group = f"ecommerce.sink.{self.name}"
        self.member = self._make(self._scene, group, self._projections, self._server())
        self.unit: Unit | None = None

    @property
    def inbox(self) -> Inbox:
        """Return what the sink has yet to poll."""
        return self.member.inbox

    def poll(self, places: int, count: int, skip: int) -> Told:
        """The sink polls up to `count` records each of some partitions, and begins to write them.

        While its server is away it polls nothing, and tries again with what it has in hand.
        """
        waiting = list(self.inbox.waiting)
        if self.unit is not None or not (waiting or self.member.in_hand):
            return None
        if not self.member.in_hand:
            skip %= len(waiting)
            chosen: list[Place] = (waiting[skip:] + waiting[:skip])[:places]
            for place in chosen:
                self.member.in_hand += self.inbox.fetch(place, count)
        records = list(self.member.in_hand)
        self.unit = Unit(self.member.land())
        self._carry()
        return self._scene.told(
            lambda: f"the {self.name} sink sends {', '.join(map(self._scene.name_of, records))} to its server"
        )

    def write(self, away: int) -> Told:
        """The write goes on: it reaches the server, or is answered; with `away` the server is gone."""
        if self.unit is None:
            return None
        at = self.unit.at
        self._carry(SinkUnavailableError("the server is away") if away else None)
        return self._scene.told(lambda: f"the {self.name} sink's {_course(at, away)}")

    def _carry(self, failure: BaseException | None = None) -> None:
        assert self.unit is not None
        try:
            if self.unit.carry(failure):
                self.unit = None
        except SinkUnavailableError:
            self.unit = None

    def crash(self) -> Told:
        """The sink dies where it stands and starts again at its committed offsets."""
        if self.unit is not None:
            self.unit.drop()
        self.inbox.close()
        self._start()
        return self._scene.told(lambda: f"the {self.name} sink dies and starts again at its offsets")

    def succeed(self) -> Told:
        """Another member takes the partitions, while this one's write is under way."""
        if self.unit is None:
            return None
        self.member.fenced = True
        self.inbox.close()
        self.zombies.append(self.unit)
        self._start()
        return self._scene.told(
            lambda: f"another {self.name} sink takes over, a write of the first on its way"
        )

    def late(self, index: int) -> Told:
        """The write of a member that was succeeded goes on."""
        if index >= len(self.zombies):
            return None
        unit = self.zombies[index]
        at = unit.at
        if unit.carry():
            del self.zombies[index]
        return self._scene.told(lambda: f"the succeeded {self.name} sink's {_course(at, 0)}")

    def busy(self) -> bool:
        """Say whether anything waits or is under way."""
        return bool(self.unit or self.zombies or self.inbox.waiting or self.member.in_hand)

    def signature(self) -> int:
        """Return a number for where the sink stands."""
        at = 0 if self.unit is None else len(self.unit.at)
        return hash((tuple(self.inbox.cursors.values()), at, len(self.zombies), len(self.member.in_hand)))


def _course(at: str, away: int) -> str:
    if away:
        return "server is away" + (" after it took the write" if at == "flush: acknowledged" else "")
    if at == "flush: sent":
        return "write reaches its server"
    return "write is acknowledged, and its offsets are committed"
