"""The Elasticsearch views: message -> documents and parts of documents -> indices."""

from collections.abc import Mapping
from dataclasses import replace

from connectors.elasticsearch.index import Index, Write
from connectors.runtime.projection import AnyProjection
from sinks.analysis import CHANGEABLE
from sinks.declaration import Guards
from sinks.gathered import VIEWS, fed
from topics.settings import Settings

GROUP = "ecommerce.sink.elasticsearch"

INDICES: tuple[Index, ...] = tuple(index for each in VIEWS for index in each.indices)

GUARDS: Mapping[str, Guards] = {
    index.alias: each.guards.get(index.alias, {}) for each in VIEWS for index in each.indices
}
"""By index, the versions in a document and the fields that each stands for; none for whole documents."""

PROJECTIONS: tuple[AnyProjection[Write], ...] = fed(
    "Elasticsearch", (each.elasticsearch for each in VIEWS), (index.alias for index in INDICES)
)


def declared(settings: Settings) -> tuple[Index, ...]:
    """Return the indices with the refresh interval that is set."""
    changeable = {**CHANGEABLE, "refresh_interval": settings.elasticsearch_refresh}
    return tuple(replace(index, changeable=changeable) for index in INDICES)
