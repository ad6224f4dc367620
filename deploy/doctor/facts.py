"""What the doctor looks at, loaded once: tables, what the topics say, and the views."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from schemas.inventory import MovementKind
from tables.inventory.stock import Reservation
from tables.table import Table

Row = dict[str, Any]
S = TypeVar("S", bound=msgspec.Struct)


@dataclass
class History:
    """An aggregate's events: the event id by version, the data of the newest, and contradictions.

    The same event twice (a duplicate, with the same id) is one event; another event under a version that is
    taken is a contradiction.
    """

    ids: dict[int, str] = field(default_factory=dict)
    newest: Row = field(default_factory=dict)
    contradictions: list[int] = field(default_factory=list)

    @property
    def version(self) -> int:
        """Return the newest version."""
        return max(self.ids)

    def add(self, version: int, event_id: str, data: Row) -> None:
        """Take an event."""
        if self.ids.setdefault(version, event_id) != event_id:
            self.contradictions.append(version)
        elif version == self.version:
            self.newest = data


@dataclass
class Movements:
    """The sums of a SKU's movements by kind, in pieces, from its `inventory.updated` events."""

    sums: dict[MovementKind, int] = field(default_factory=lambda: defaultdict(int))
    version: int = 0
    newest: Row = field(default_factory=dict)
    gaps: list[int] = field(default_factory=list)

    def add(self, version: int, data: Row) -> None:
        """Take the next event of the SKU's partition; one that was seen already changes nothing."""
        if version <= self.version:
            return
        if version != self.version + 1:
            self.gaps.append(version)
        movement = data["movement"]
        self.sums[MovementKind(movement["kind"])] += movement["quantity"]
        self.version, self.newest = version, data


@dataclass
class Ends:
    """How a checkout ended: the distinct event ids of each of its two ends."""

    completed: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)


class Tables:
    """The dataflow's own state, by table and key, as the changelogs hold it.

    `reservations` are by SKU and order.
    """

    def __init__(self) -> None:
        self._of: dict[str, dict[str, Any]] = defaultdict(dict)
        self.reservations: dict[str, dict[str, Reservation]] = defaultdict(dict)

    def __getitem__(self, table: Table[S]) -> dict[str, S]:
        """Return a table's states by key."""
        return self._of[table.name]


@dataclass
class Events:
    """What the topics say, by aggregate id. `started` is each checkout's deadline in ms.

    `of` is by the name under which a check's module remembers events (`remembered`).
    """

    started: dict[str, int] = field(default_factory=dict)
    ends: dict[str, Ends] = field(default_factory=lambda: defaultdict(Ends))
    orders: dict[str, History] = field(default_factory=lambda: defaultdict(History))
    payments: dict[str, History] = field(default_factory=lambda: defaultdict(History))
    products: dict[str, History] = field(default_factory=lambda: defaultdict(History))
    captures: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    movements: dict[str, Movements] = field(default_factory=lambda: defaultdict(Movements))
    carts: dict[str, tuple[int, Row]] = field(default_factory=dict)
    of: dict[str, dict[str, History]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(History))
    )


@dataclass
class Views:
    """The views' rows by key. Where Elasticsearch is not configured its views are None and not compared."""

    products: dict[str, Row] = field(default_factory=dict)
    stock_levels: dict[str, Row] = field(default_factory=dict)
    orders: dict[str, Row] = field(default_factory=dict)
    payments: dict[str, Row] = field(default_factory=dict)
    carts: dict[str, Row] = field(default_factory=dict)
    found_products: dict[str, Row] | None = None
    found_orders: dict[str, Row] | None = None


@dataclass
class Facts:
    """Everything. `now` is in ms; `lag` counts unread records by `group topic/partition`.

    `faults` tells, by the same, why what a group committed is no position in its topic.
    """

    now: int = 0
    tables: Tables = field(default_factory=Tables)
    events: Events = field(default_factory=Events)
    views: Views = field(default_factory=Views)
    lag: dict[str, int] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    partitions: int = 0
    moving: list[str] = field(default_factory=list)
    topics: int = 0
    topic_differences: list[str] = field(default_factory=list)


Take = Callable[[Events, Row], None]
"""Remembers an event."""


def remembered(name: str) -> Take:
    """Return what keeps events as histories under `Events.of[name]`."""
    return kept_in(lambda events: events.of[name])


def kept_in(histories: Callable[[Events], dict[str, History]]) -> Take:
    """Return what keeps events as histories, by aggregate id, where `histories` says."""

    def take(events: Events, message: Row) -> None:
        history = histories(events)[message["aggregate_id"]]
        history.add(message["aggregate_version"], message["event_id"], message["data"])

    return take
