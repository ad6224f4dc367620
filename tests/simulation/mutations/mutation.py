"""What a planted bug is."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

from streams.kernel.flow import Decision, Flow, Route
from tests.simulation.settings import Parts
from tests.simulation.small import FLOWS
from topics.topic import Topic

Handler = Callable[[Any, Any], Decision[Any]]


@dataclass(frozen=True)
class Mutation:
    """A planted bug: what is wrong, in which room, and how it is made.

    `patches` are attributes of modules that are replaced while a world with it runs.
    """

    name: str
    room: str
    wrong: str
    parts: Parts
    patches: Sequence[tuple[Any, str, Any]] = ()

    @contextmanager
    def planted(self) -> Iterator[Parts]:
        """Return the parts of a world with the bug, which is there until the end of the context."""
        with ExitStack() as stack:
            for target, attribute, value in self.patches:
                stack.enter_context(patch.object(target, attribute, value))
            yield self.parts


def in_handler(
    name: str, room: str, topic: Topic[Any], wrong: str, change: Callable[[Handler, Any, Any], Decision[Any]]
) -> Mutation:
    """Return a bug in one handler: `change` is given the right one, the state and the message."""
    (flow_name,) = [flow.name for flow in FLOWS if flow.name == room.rsplit("/", maxsplit=1)[-1]]
    return Mutation(name, f"streams/{room}", wrong, Parts(flows=_mutated(flow_name, topic, change)))


def _mutated(
    name: str, topic: Topic[Any], change: Callable[[Handler, Any, Any], Decision[Any]]
) -> tuple[Flow[Any], ...]:
    def broken(route: Route[Any, Any]) -> Route[Any, Any]:
        right = route.handler
        return replace(route, handler=lambda state, message: change(right, state, message))

    def rerouted(flow: Flow[Any]) -> Flow[Any]:
        routes = tuple(broken(route) if route.topic is topic else route for route in flow.routes)
        return replace(flow, routes=routes)

    assert any(route.topic is topic for flow in FLOWS if flow.name == name for route in flow.routes)
    return tuple(rerouted(flow) if flow.name == name else flow for flow in FLOWS)


def both(first: Mutation, second: Mutation) -> Mutation:
    """Return a bug of two flows under the first one's name: for what is defended twice."""
    flows = tuple(
        one if one is not right else other
        for right, one, other in zip(FLOWS, first.parts.flows, second.parts.flows, strict=True)
    )
    return replace(first, parts=Parts(flows=flows))
