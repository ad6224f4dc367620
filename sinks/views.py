"""The views by the names under which operations know them: a server's all, or one of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from connectors.elasticsearch.index import Index
from connectors.postgres.table import Table
from connectors.postgres.tombstone import Tombstone
from connectors.runtime.projection import AnyProjection
from sinks import elasticsearch, postgres, redis
from sinks.elasticsearch import INDICES
from sinks.postgres import TABLES


class Server(StrEnum):
    """What holds views."""

    POSTGRES = "postgres"
    ELASTICSEARCH = "elasticsearch"
    REDIS = "redis"


@dataclass(frozen=True)
class Choice:
    """Views of one server: which they are, what feeds them, and the group of the sink that keeps them."""

    name: str
    server: Server
    group: str
    projections: Sequence[AnyProjection[Any]]
    tables: tuple[Table, ...] = ()
    indices: tuple[Index, ...] = ()
    guards: Mapping[str, Mapping[str, frozenset[str]]] = field(default_factory=dict)

    @property
    def topics(self) -> list[str]:
        """Return the topics that feed them."""
        return [each.topic.name for each in self.projections]

    @property
    def keeps(self) -> Callable[[Any], bool]:
        """Return what tells a row of theirs from those of other views that the same topics feed."""
        match self.server:
            case Server.POSTGRES:
                tables = set(self.tables)
                rows = {table.row for table in tables}
                return lambda row: row.table in tables if type(row) is Tombstone else type(row) in rows
            case Server.ELASTICSEARCH:
                aliases = {index.alias for index in self.indices}
                return lambda write: write.alias in aliases
            case Server.REDIS:
                return lambda _: True


def names() -> list[str]:
    """Return every name that there is: the servers, and each view of those that have several."""
    tables = [table.name for table in TABLES if table.owner is None]
    return [*Server, *tables, *(index.alias for index in INDICES)]


def choose(name: str) -> Choice:
    """Return the views of that name: of a server, of a table with what it owns, of an index.

    Raises LookupError where there is none.
    """
    if name == Server.REDIS:
        return Choice(name, Server.REDIS, redis.GROUP, redis.PROJECTIONS)
    tables = tuple(table for table in TABLES if name in (Server.POSTGRES, (table.owner or table).name))
    if tables:
        fed = _feeding(postgres.PROJECTIONS, {table.name for table in tables})
        return Choice(name, Server.POSTGRES, postgres.GROUP, fed, tables=tables)
    indices = tuple(index for index in INDICES if name in (Server.ELASTICSEARCH, index.alias))
    if indices:
        fed = _feeding(elasticsearch.PROJECTIONS, {index.alias for index in indices})
        return Choice(
            name,
            Server.ELASTICSEARCH,
            elasticsearch.GROUP,
            fed,
            indices=indices,
            guards={index.alias: elasticsearch.GUARDS[index.alias] for index in indices},
        )
    raise LookupError(f"there is no view {name}: choose from {', '.join(names())}")


def _feeding(projections: Sequence[AnyProjection[Any]], into: set[str]) -> list[AnyProjection[Any]]:
    return [each for each in projections if into.intersection(each.into)]
