"""Monthly partitions, made before the first row of a month is written.

A table that is partitioned by month has a default partition `<table>_default`. It takes what no month's
partition can be made for: rows of no plausible time, and all rows while a partition cannot be made. Those
move when it is made.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from operator import itemgetter
from typing import NamedTuple

import asyncpg
import structlog

from connectors.postgres.table import Row, Table

log = structlog.get_logger(__name__)

_LOCK_S = 2
_FIRST_YEAR = 2000
_MONTHS = 12

# Its schema too, as a partition lies where its table lies; no row where it is not partitioned.
_PARTITIONS = """
SELECT quote_ident(nspname) AS schema, child.relname AS name
FROM pg_class parent JOIN pg_namespace ON pg_namespace.oid = parent.relnamespace
LEFT JOIN pg_inherits ON inhparent = parent.oid LEFT JOIN pg_class child ON child.oid = inhrelid
WHERE parent.oid = $1::text::regclass AND parent.relkind = 'p'
"""


class Month(NamedTuple):
    """A month of UTC."""

    year: int
    month: int

    @property
    def next(self) -> "Month":
        """Return the month after it."""
        return Month(self.year + self.month // _MONTHS, self.month % _MONTHS + 1)

    @property
    def start(self) -> str:
        """Return its first moment, as PostgreSQL reads it."""
        return f"{self.year:04}-{self.month:02}-01 00:00:00+00"

    def plausible(self, today: datetime) -> bool:
        """Tell whether it is worth a partition: a wrong clock must not make a thousand of them."""
        return self.year >= _FIRST_YEAR and self <= Month(today.year, today.month).next


def months_of(moments: Iterable[datetime]) -> set[Month]:
    """Return the months that the moments lie in."""
    return {Month(*pair) for pair in {(moment.year, moment.month) for moment in moments}}


class Months:
    """The monthly partitions of one table, as one connection has met them."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self._moment = itemgetter(table.columns.index(str(table.month)))
        self._met: set[Month] = set()

    def forget(self) -> None:
        """Look again: another connection may lead to another server."""
        self._met.clear()

    async def ensure(self, connection: asyncpg.Connection, rows: Sequence[Row]) -> None:
        """Make the partitions that the rows want and that are missing. Not to be called in a transaction.

        Where one cannot be made, for want of a lock or a right or as its name is taken, the default partition
        takes its rows.
        """
        new = months_of(map(self._moment, rows)) - self._met
        for month in sorted(new):
            if month.plausible(datetime.now(UTC)):
                try:
                    await self._make(connection, month)
                except asyncpg.PostgresError as error:
                    log.warning(
                        "postgres.no_partition", table=self.table.name, month=month.start, error=str(error)
                    )
        self._met |= new

    async def _make(self, connection: asyncpg.Connection, month: Month) -> None:
        name = self.table.name
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", name)
            partitions = await connection.fetch(_PARTITIONS, name)
            made = f"{name}_{month.year:04}_{month.month:02}"
            if not partitions or made in {each["name"] for each in partitions}:
                return
            schema, column = partitions[0]["schema"], self.table.month
            await connection.execute(f"SET LOCAL lock_timeout = '{_LOCK_S}s'")
            # A function of the schema's owner: who writes rows may make a month's partition, and no more.
            await connection.execute(
                "SELECT public.ecommerce_make_month($1::text::regclass, $2, $3, $4::text::timestamptz,"
                " $5::text::timestamptz)",
                f"{schema}.{name}",
                made,
                column,
                month.start,
                month.next.start,
            )
        log.info("postgres.partition_made", table=name, partition=made)
