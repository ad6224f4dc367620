"""The manifest: every domain of the platform, and the rooms of the house in which it lives.

A domain has one name in every room: `schemas/<name>.py`, `topics/<name>.py`, `tables/<name>.py`,
`streams/<name>/`, `sinks/<name>/`, `api/<name>/`. What the platform has of each kind (topics, tables, flows,
views, routes, services) is in no list: each room gathers it from its domains' modules (`declared`), and a
module that is missing, or one that no domain here names, is an error when the room is imported. The page
docs/domains.md says which module declares what.
"""

import pkgutil
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from importlib.util import find_spec
from typing import TypeVar

D = TypeVar("D")


class Room(StrEnum):
    """The rooms in which a domain need not have a place."""

    SINKS = "sinks"
    API = "api"


class ManifestError(Exception):
    """A domain's module or declaration is missing, or one is there that no domain names."""


@dataclass(frozen=True)
class Process:
    """A process of a domain's own: its name in health answers, and its consumer group if it has one.

    `reads` are the commands that wait for that group.
    """

    name: str
    group: str | None = None
    reads: tuple[str, ...] = ()


@dataclass(frozen=True)
class Domain:
    """A domain: its flows, each with the table of the same name, and the rooms where it shows itself.

    A flow that is called as its domain lives in `streams/<domain>/`, others in `streams/<domain>/<flow>/`;
    tables likewise.
    """

    name: str
    flows: tuple[str, ...] = ()
    rooms: tuple[Room, ...] = ()
    processes: tuple[Process, ...] = ()

    def place(self, room: str, flow: str) -> str:
        """Return the module of one of its flows in a room."""
        return f"{room}.{self.name}" if flow == self.name else f"{room}.{self.name}.{flow}"


_SEEN = (Room.SINKS, Room.API)

DOMAINS = (
    Domain("product", flows=("product",), rooms=_SEEN),
    Domain("cart", flows=("cart",), rooms=_SEEN),
    Domain("checkout", rooms=(Room.API,)),
    Domain("order", flows=("order",), rooms=_SEEN),
    Domain("inventory", flows=("stock", "allocation"), rooms=_SEEN),
    Domain(
        "payment",
        flows=("payment",),
        rooms=(Room.SINKS,),
        processes=(
            Process("payment-gateway", "ecommerce.payment-gateway", reads=("ecommerce.payment.instruct",)),
        ),
    ),
    Domain("user", processes=(Process("outbox"),)),
    Domain("service"),
)


def of_room(room: Room, domains: Collection[Domain] = DOMAINS) -> tuple[Domain, ...]:
    """Return the domains that have a place in a room."""
    return tuple(each for each in domains if room in each.rooms)


def declared(module: str, name: str, kind: type[D]) -> D:
    """Return what a domain's module declares under a name.

    Raises ManifestError where the module is not there, does not have the name, or has something else there.
    """
    found = getattr(_module(module), name, None)
    if not isinstance(found, kind):
        raise ManifestError(f"{_path(module)} has to declare {name}, a {kind.__name__}")
    return found


def all_declared(module: str, kind: type[D]) -> dict[str, D]:
    """Return everything of a kind that a domain's module declares, by its name there.

    Raises ManifestError where the module is not there.
    """
    return {name: each for name, each in vars(_module(module)).items() if isinstance(each, kind)}


def declared_in(package: str, kind: type[D]) -> list[D]:
    """Return everything of a kind that the modules of a domain's folder declare, in the order of their names.

    Raises ManifestError where the folder is not there, or has none.
    """
    modules = list(pkgutil.iter_modules(import_module(package).__path__)) if _is_there(package) else []
    found = {
        id(each): each
        for module in sorted(each.name for each in modules)
        for each in all_declared(f"{package}.{module}", kind).values()
    }
    if not found:
        raise ManifestError(
            f"{package.replace('.', '/')} has no module that declares a {kind.__name__},"
            " and schemas/domains.py gives its domain that place"
        )
    return list(found.values())


def no_strays(room: str, named: Collection[str], apart: Collection[str]) -> None:
    """Raise ManifestError where a room has a folder that is neither a domain's nor one of those `apart`."""
    package = import_module(room)
    for found in pkgutil.iter_modules(package.__path__):
        if found.ispkg and found.name not in named and found.name not in apart:
            raise ManifestError(
                f"{room}/{found.name} is of no domain that schemas/domains.py gives a place in {room}"
            )


def processes(domains: Collection[Domain] = DOMAINS) -> Iterator[Process]:
    """Yield the processes that domains have of their own."""
    for domain in domains:
        yield from domain.processes


def _module(name: str) -> object:
    if not _is_there(name):
        raise ManifestError(f"{_path(name)} is missing, and schemas/domains.py names its domain")
    return import_module(name)


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def _path(module: str) -> str:
    return module.replace(".", "/") + ".py"
