"""What feeds a view: a topic, the pure function from its message to rows, and where the rows go."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from connectors.runtime.record import Record
from schemas.codec import UndecodableError
from schemas.envelope import Message
from topics.topic import RawTopic, Topic
from topics.wire import decode

D = TypeVar("D", bound=msgspec.Struct)
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class Named(Protocol):
    """What has a topic's name: a typed topic or a raw one."""

    @property
    def name(self) -> str:
        """Return the topic's name."""
        ...


# A struct of C, as one is made for every record that is read.
class Projected(msgspec.Struct, frozen=True, gc=False):
    """What a record became: rows of its own, and those that only its aggregate's newest version needs.

    The latter are made by `latest` of `message`, for the highest `version` of each `aggregate` in a batch.
    `aggregate` is None where there are none.
    """

    rows: tuple[Any, ...]
    aggregate: object | None = None
    version: int = 0
    latest: Callable[[Any], Iterable[Any]] | None = None
    message: Any = None


class AnyProjection(Protocol[R_co]):
    """A projection of a typed or of a raw topic."""

    @property
    def topic(self) -> Named:
        """Return the topic that is read; a name that begins with `^` is a pattern."""
        ...

    @property
    def into(self) -> Sequence[str]:
        """Return the names of the tables, indices or keys that are fed."""
        ...

    def rows(self, record: Record) -> tuple[R_co, ...]:
        """Return all of the record's rows. Raises UndecodableError, or what the projector raises."""
        ...


@dataclass(frozen=True)
class Projection(Generic[D, R]):
    """One line of a view's declaration: message -> rows -> targets.

    `project` makes rows of every message. `latest` makes rows that show the aggregate as it stands after the
    message: of a batch, only its newest message's are worth making. `tombstone` makes rows of a record that
    has no value; where it is not given, such a record is undecodable.
    """

    topic: Topic[D]
    project: Callable[[Message[D]], Iterable[R]]
    into: tuple[str, ...]
    latest: Callable[[Message[D]], Iterable[R]] | None = None
    tombstone: Callable[[Record], Iterable[R]] | None = None

    def made(self, message: Message[D]) -> tuple[R, ...]:
        """Return all of the message's rows, or raise what a projector raises."""
        rows = tuple(self.project(message))
        return rows if self.latest is None else (*self.latest(message), *rows)

    def rows(self, record: Record) -> tuple[R, ...]:
        """Return all rows of the record's message. Raises UndecodableError, or what a projector raises."""
        if record.value is None and self.tombstone is not None:
            return tuple(self.tombstone(record))
        return self.made(self._message(record))

    def projected(self, record: Record) -> Projected:
        """Return what the record became. Raises UndecodableError, or what `project` raises."""
        if record.value is None and self.tombstone is not None:
            return Projected(tuple(self.tombstone(record)))
        message = self._message(record)
        rows = tuple(self.project(message))
        if self.latest is None:
            return Projected(rows)
        aggregate = (self.latest, message.aggregate_id)
        return Projected(rows, aggregate, message.aggregate_version, self.latest, message)

    def _message(self, record: Record) -> Message[D]:
        if record.value is None:
            raise UndecodableError("the record has no value")
        return decode(self.topic, record.value)


@dataclass(frozen=True)
class RawProjection(Generic[R]):
    """One line of a view's declaration, for a topic whose values are not typed."""

    topic: RawTopic
    project: Callable[[Record], Iterable[R]]
    into: tuple[str, ...]

    def rows(self, record: Record) -> tuple[R, ...]:
        """Return the record's rows, or raise what `project` raises."""
        return tuple(self.project(record))


def projected(projection: AnyProjection[Any], record: Record) -> Projected:
    """Return what the record became. Raises UndecodableError, or what the projector raises."""
    if isinstance(projection, Projection):
        return projection.projected(record)
    return Projected(projection.rows(record))
