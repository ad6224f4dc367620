"""Records in hand: read, and not yet written and committed."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Generic, NamedTuple, TypeVar

from aiokafka import TopicPartition

from connectors.runtime.dead_letters import UNDECODABLE, UNPROJECTABLE
from connectors.runtime.projection import Projected, projected
from connectors.runtime.record import Record
from connectors.runtime.routes import Routes
from schemas.codec import UndecodableError
from topics.skips import REASON as SKIPPED
from topics.skips import SkippedError

R = TypeVar("R")


class Refused(NamedTuple):
    """A record that no row can be made of, and why."""

    record: Record
    reason: str
    error: Exception


class Pending(Generic[R]):
    """A batch in the making: what records became, and how far each partition is read.

    What has no rows to write still moves its partition's position.
    """

    def __init__(self) -> None:
        self._held: dict[TopicPartition, list[tuple[Record, Projected]]] = {}
        self._next: dict[TopicPartition, int] = {}
        self._newest: dict[object, Projected] = {}
        self._refused: list[Refused] = []
        self.records = 0
        self.size = 0

    def __bool__(self) -> bool:
        return bool(self._next)

    def take(self, record: Record, routes: Routes[R]) -> None:
        """Note a partition's next record: what it became, or why no rows can be made of it."""
        try:
            became = projected(routes.of(record.topic), record)
        except UndecodableError as error:
            self.refuse(record, UNDECODABLE, error)
        except Exception as error:  # noqa: BLE001 # whatever a projector raises, the record is the cause
            self.refuse(record, UNPROJECTABLE, error)
        else:
            self.read(record, became)

    def skip(self, record: Record, skipped: SkippedError) -> None:
        """Note a partition's next record, which somebody has said to leave."""
        self.refuse(record, SKIPPED, skipped)

    def leave(self, told: Callable[[Record], SkippedError | None]) -> None:
        """Leave of the records in hand those that `told` names."""
        for place, held in self._held.items():
            kept = []
            for each in held:
                if skipped := told(each[0]):
                    self._refused.append(Refused(each[0], SKIPPED, skipped))
                else:
                    kept.append(each)
            self._held[place] = kept
        self._compare_all()

    def read(self, record: Record, projected: Projected) -> None:
        """Note a partition's next record and what it became."""
        place = self._pass(record)
        held = self._held.get(place)
        if held is None:
            self._held[place] = held = []
        held.append((record, projected))
        if projected.aggregate is not None:
            self._compare(projected)

    def refuse(self, record: Record, reason: str, error: Exception) -> None:
        """Note a partition's next record, of which no rows can be made."""
        self._pass(record)
        self._refused.append(Refused(record, reason, error))

    def ended(self, ends: Mapping[TopicPartition, int]) -> None:
        """Note partitions that are read to their present end, whatever lies before it."""
        self._next.update(ends)

    def held(self) -> list[tuple[Record, Projected]]:
        """Return what is to be written, each partition in its order."""
        return [each for held in self._held.values() for each in held]

    def rows_of(self, projected: Projected) -> tuple[R, ...]:
        """Return the rows of a record in hand: those of its aggregate's state if it has the newest version.

        Raises what a projector raises.
        """
        if projected.latest is None or self._newest.get(projected.aggregate) is not projected:
            return projected.rows
        return (*projected.latest(projected.message), *projected.rows)

    def refused(self) -> list[Refused]:
        """Return what is to be a dead letter."""
        return list(self._refused)

    def offsets(self) -> dict[TopicPartition, int]:
        """Return what to commit once all is written: the next offset of each partition."""
        return dict(self._next)

    def oldest(self) -> int | None:
        """Return when the oldest record in hand came, in milliseconds since the epoch; None where none is."""
        return min((held[0][0].timestamp for held in self._held.values() if held), default=None)

    def touches(self, partitions: Iterable[TopicPartition]) -> bool:
        """Tell whether it holds something of these partitions."""
        return any(partition in self._next for partition in partitions)

    def forget(self, partitions: Collection[TopicPartition]) -> None:
        """Drop what belongs to partitions that are no longer ours."""
        for partition in partitions:
            self._held.pop(partition, None)
            self._next.pop(partition, None)
        self._refused = [
            each for each in self._refused if (each.record.topic, each.record.partition) in self._next
        ]
        self._compare_all()

    def _compare_all(self) -> None:
        self._newest.clear()
        for held in self._held.values():
            for _, rows in held:
                if rows.aggregate is not None:
                    self._compare(rows)

    def _compare(self, projected: Projected) -> None:
        newest = self._newest.get(projected.aggregate)
        if newest is None or projected.version > newest.version:
            self._newest[projected.aggregate] = projected

    def _pass(self, record: Record) -> TopicPartition:
        # As good a key as the named tuple that it equals, and made in a fourth of the time.
        place = (record.topic, record.partition)
        self._next[place] = record.offset + 1
        self.records += 1
        self.size += len(record.value or b"")
        return place
