"""How a domain declares itself: messages in, plain typed handlers, messages out.

A handler is a pure function of the key's state and one message; it decides the new state and the outputs.
Time comes from the message (`occurred_at`, or a timer's `due_at`), never from a clock.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec

from schemas.envelope import Message
from schemas.service import TimerDue
from tables.table import Table
from topics.registry import INNER_COMMANDS
from topics.topic import Kind, Topic

S = TypeVar("S", bound=msgspec.Struct)
D = TypeVar("D", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True)
class Out(Generic[D]):
    """One output: `data` for `topic`, keyed by `key`.

    `version` is the aggregate's version after the change (0 for commands). The rest of the envelope is
    derived by the kernel: ids from the cause, tenant and correlation from the cause, and `user_id` too
    unless it is given here.
    """

    topic: Topic[D]
    key: str
    data: D
    version: int = 0
    user_id: str | None = None


@dataclass(frozen=True, slots=True)
class Decision(Generic[S]):
    """What a handler decided: the new state (None deletes it, the same object keeps it), and outputs."""

    state: S | None
    outputs: tuple[Out[Any], ...] = ()


@dataclass(frozen=True)
class Route(Generic[S, D]):
    """One line of a routing table: message -> handler -> messages that it may emit."""

    topic: Topic[D]
    handler: Callable[[S | None, Message[D]], Decision[S]]
    emits: tuple[Topic[Any], ...] = ()


@dataclass(frozen=True)
class Flow(Generic[S]):
    """A domain's agent: one table, the routes that may change it, and its timer.

    `due` computes, from a state, when (ms) its key wants to be woken, or None. When that time has come the
    kernel writes a `TimerDue` record to `timer` under the same key, and the flow's own route for that topic
    decides: so timers take their place in the order of records. A handler of a timer must ignore one that
    the state no longer asks for.

    `correlation` returns the correlation id in whose name a state waits, which its timer's message goes on
    with; where it returns nothing, a timer begins a correlation of its own.

    With `ids`, the ids that commands bring have to be UUIDs: the views have no others. Tests may call a cart
    by any name.
    """

    name: str
    table: Table[S]
    routes: tuple[Route[S, Any], ...]
    due: Callable[[S], int | None] | None = None
    timer: Topic[TimerDue] | None = None
    correlation: Callable[[S], str] | None = None
    ids: bool = False

    def __post_init__(self) -> None:
        names = [route.topic.name for route in self.routes]
        if len(set(names)) != len(names):
            raise ValueError(f"flow {self.name}: a topic is routed twice")
        if (self.due is None) != (self.timer is None):
            raise ValueError(f"flow {self.name}: `due` and `timer` go together")
        if self.timer is not None and self.timer.name not in names:
            raise ValueError(f"flow {self.name}: its timer {self.timer.name} has no route")


def inner(flows: Iterable[Flow[Any]]) -> frozenset[str]:
    """Return the topics that flows send to each other and nobody else sends to.

    But for who sends a record again by hand: what is written here means that it may wait a moment.
    """
    flows = tuple(flows)
    sent = {topic for flow in flows for route in flow.routes for topic in route.emits}
    sent |= {flow.timer for flow in flows if flow.timer is not None}
    read = {route.topic.name for flow in flows for route in flow.routes}
    return frozenset(
        topic.name
        for topic in sent
        if topic.name in read and (topic.kind is not Kind.COMMAND or topic in INNER_COMMANDS)
    )
