"""One box of the dataflow's picture, and how boxes meet through topics."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a component is in the dataflow."""

    API = "api"
    FLOW = "flow"
    GATEWAY = "gateway"
    SINK = "sink"
    SOURCE = "source"


@dataclass(frozen=True)
class Route:
    """One line of a routing table: topic in, handler (a flow) or targets (a sink), topics out."""

    topic: str
    does: str
    emits: tuple[str, ...] = ()


@dataclass(frozen=True)
class Component:
    """A part of the dataflow with its routes. `also_emits` are outputs of no single route (timers, commands).

    `group` is its consumer group, None where it reads without one; `table` the name of a flow's table.
    """

    name: str
    role: Role
    title: str
    routes: tuple[Route, ...] = ()
    also_emits: tuple[str, ...] = ()
    group: str | None = None
    table: str | None = None

    @property
    def consumes(self) -> tuple[str, ...]:
        """Return the topics it reads, in the order of its routes."""
        return tuple(route.topic for route in self.routes)

    @property
    def emits(self) -> tuple[str, ...]:
        """Return the topics it writes, each once, in the order of its routes."""
        return tuple(dict.fromkeys([*(t for route in self.routes for t in route.emits), *self.also_emits]))


def producers(components: Sequence[Component], topic: str) -> list[Component]:
    """Return who writes the topic."""
    return [component for component in components if topic in component.emits]


def consumers(components: Sequence[Component], topic: str) -> list[Component]:
    """Return who reads the topic."""
    return [component for component in components if topic in component.consumes]


def connections(components: Sequence[Component]) -> dict[tuple[str, str], list[str]]:
    """Return the topics by (producer's name, consumer's name), for each pair that has any."""
    return {
        (producer.name, consumer.name): topics
        for producer in components
        for consumer in components
        if (topics := [topic for topic in producer.emits if topic in consumer.consumes])
    }
