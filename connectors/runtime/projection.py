"""What feeds a view: a topic, the pure function from its message to rows, and where the rows go."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

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


class AnyProjection(Protocol[R_co]):
    """A projection of a typed or of a raw topic."""

    @property
    def topic(self) -> Named:
        """Return the topic that is read."""
        ...

    @property
    def into(self) -> Sequence[str]:
        """Return the names of the tables, indices or keys that are fed."""
        ...

    def rows(self, record: Record) -> tuple[R_co, ...]:
        """Return the record's rows. Raises UndecodableError, or what the projector raises."""
        ...


@dataclass(frozen=True)
class Projection(Generic[D, R]):
    """One line of a view's declaration: message -> rows -> targets."""

    topic: Topic[D]
    project: Callable[[Message[D]], Iterable[R]]
    into: tuple[str, ...]

    def rows(self, record: Record) -> tuple[R, ...]:
        """Return the rows of the record's message. Raises UndecodableError, or what `project` raises."""
        if record.value is None:
            raise UndecodableError("the record has no value")
        return tuple(self.project(decode(self.topic, record.value)))


@dataclass(frozen=True)
class RawProjection(Generic[R]):
    """One line of a view's declaration, for a topic whose values are not typed."""

    topic: RawTopic
    project: Callable[[Record], Iterable[R]]
    into: tuple[str, ...]

    def rows(self, record: Record) -> tuple[R, ...]:
        """Return the record's rows, or raise what `project` raises."""
        return tuple(self.project(record))
