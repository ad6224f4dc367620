"""The PostgreSQL views: message -> rows -> tables."""

from connectors.postgres.table import Row, Table
from connectors.runtime.projection import AnyProjection
from sinks.gathered import VIEWS, fed

GROUP = "ecommerce.sink.postgres"

TABLES: tuple[Table, ...] = tuple(table for each in VIEWS for table in each.tables)

PROJECTIONS: tuple[AnyProjection[Row], ...] = fed(
    "PostgreSQL", (each.postgres for each in VIEWS), (table.name for table in TABLES)
)
