"""How a domain declares its views: what they are, and which topics feed them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from connectors.elasticsearch.index import Index, Write
from connectors.postgres.table import Row, Table
from connectors.redis.value import Value
from connectors.runtime.projection import AnyProjection

Guards = Mapping[str, frozenset[str]]
"""The versions in a document, and the fields that each stands for."""


@dataclass(frozen=True)
class DomainViews:
    """A domain's views: tables of PostgreSQL, indices of Elasticsearch, keys of Redis, and what feeds each.

    `keys` are the patterns that find the keys of Redis. `guards` are, by an index's alias, the versions of
    documents that several topics fill; an index without any has whole documents.
    """

    tables: tuple[Table, ...] = ()
    postgres: tuple[AnyProjection[Row], ...] = ()
    indices: tuple[Index, ...] = ()
    elasticsearch: tuple[AnyProjection[Write], ...] = ()
    guards: Mapping[str, Guards] = field(default_factory=dict)
    keys: tuple[str, ...] = ()
    redis: tuple[AnyProjection[Value], ...] = ()
