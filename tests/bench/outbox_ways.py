"""How to get rows out of an outbox: the ways weighed in docs/adr, on one PostgreSQL, alternately.

    .venv/bin/python -m tests.bench.outbox_ways

`rows/s` drains a backlog; `p50` and `p99` are from a row's insert to the reader's hands at 100 rows/s; `cpu`
is the server's and the reader's while nothing happens, in percent of a core. Sending is the same in all.
"""

import asyncio
import dataclasses
import json
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import asyncpg
import psutil

from deploy.embedded.postgres import postgres
from deploy.processes.process import Process
from tests.stack import Child, free_port_base
from topics.settings import Settings

BACKLOG = 50_000
PACED = 500
PACE_S = 0.01
IDLE_S = 8.0
BATCH = 500

TABLE = """
CREATE TABLE outbox (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, topic text, key text, data jsonb
);
CREATE FUNCTION told() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_notify('outbox', ''); RETURN NULL; END $$;
CREATE TRIGGER told AFTER INSERT ON outbox FOR EACH STATEMENT EXECUTE FUNCTION told();
"""
TAKE = """
DELETE FROM outbox WHERE position IN (SELECT position FROM outbox ORDER BY position LIMIT $1)
RETURNING position, data
"""
DATA = '{"email": "somebody@example.com", "role": "customer", "written": %d}'
INSERT = "INSERT INTO outbox (topic, key, data) VALUES ('ecommerce.user.updated', 'somebody', $1)"
DECODE = """
SELECT data FROM pg_logical_slot_get_binary_changes(
    's', NULL, $1, 'proto_version', '1', 'publication_names', 'p'
)
"""


class Way:
    """One way: `take` returns the commit-side stamps of the next rows, `rest` waits where there are none."""

    def __init__(
        self, connection: asyncpg.Connection, *, decoding: bool, poll_s: float, notified: bool
    ) -> None:
        self._connection = connection
        self._decoding = decoding
        self._poll_s = poll_s
        self._notified = notified
        self._told = asyncio.Event()

    async def open(self) -> None:
        """Make the slot, or listen."""
        if self._decoding:
            await self._connection.execute("SELECT pg_create_logical_replication_slot('s', 'pgoutput')")
        if self._notified:
            await self._connection.add_listener("outbox", lambda *_: self._told.set())

    async def close(self) -> None:
        """Leave nothing behind for the next way."""
        if self._decoding:
            await self._connection.execute("SELECT pg_drop_replication_slot('s')")
        await self._connection.execute("TRUNCATE outbox")
        await self._connection.reset()

    async def take(self) -> list[int]:
        """Return when the next rows were written, in ns."""
        self._told.clear()
        if self._decoding:
            rows = await self._connection.fetch(DECODE, BATCH)
            return [_stamp(row["data"]) for row in rows if row["data"][:1] == b"I"]
        async with self._connection.transaction():
            rows = await self._connection.fetch(TAKE, BATCH)
        return [json.loads(row["data"])["written"] for row in rows]

    async def rest(self) -> None:
        """Wait for new rows."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._told.wait(), self._poll_s)


def _stamp(change: bytes) -> int:
    return int(json.loads(change[change.index(b"{") :])["written"])


async def drained(way: Way, writer: asyncpg.Connection) -> float:
    """Return rows/s of emptying a backlog."""
    await writer.execute(
        "INSERT INTO outbox (topic, key, data) SELECT 'ecommerce.user.updated', 'u' || n,"
        " jsonb_build_object('email', 'somebody@example.com', 'role', 'customer', 'written', n)"
        f" FROM generate_series(1, {BACKLOG}) n"
    )
    started, count = time.monotonic(), 0
    while count < BACKLOG:
        count += len(await way.take())
    return BACKLOG / (time.monotonic() - started)


async def delays(way: Way, writer: asyncpg.Connection) -> list[float]:
    """Return ms from commit to hand for rows written one by one."""
    found: list[float] = []

    async def read() -> None:
        while len(found) < PACED:
            stamps = await way.take()
            now = time.time_ns()
            found.extend((now - stamp) / 1e6 for stamp in stamps)
            if not stamps:
                await way.rest()

    reading = asyncio.create_task(read())
    for _ in range(PACED):
        await writer.execute(INSERT, DATA % time.time_ns())
        await asyncio.sleep(PACE_S)
    await asyncio.wait_for(reading, 60)
    return found


async def idle(way: Way, server: psutil.Process) -> float:
    """Return percent of a core that waiting costs, server and reader."""

    def cpu() -> float:
        times = [p.cpu_times() for p in (psutil.Process(), server, *server.children(recursive=True))]
        return sum(each.user + each.system for each in times)

    async def read() -> None:
        while True:
            if not await way.take():
                await way.rest()

    reading = asyncio.create_task(read())
    before = cpu()
    await asyncio.sleep(IDLE_S)
    spent = cpu() - before
    reading.cancel()
    with suppress(asyncio.CancelledError):
        await reading
    return 100 * spent / IDLE_S


@asynccontextmanager
async def server(directory: Path) -> AsyncIterator[tuple[str, psutil.Process]]:
    """Run a PostgreSQL that can decode its log."""
    settings = Settings(data_dir=directory, port_base=free_port_base(), postgres=None)
    made = postgres(settings)
    assert isinstance(made, Process)
    made = dataclasses.replace(made, command=(*made.command, "-c", "wal_level=logical"))
    child = Child(made, directory / "postgres.log")
    child.start()
    try:
        yield settings.postgres_dsn, psutil.Process(child.process.pid)
    finally:
        child.stop()


async def main() -> None:
    """Measure every way, three times alternately, and print the medians."""
    ways = {
        "delete, told by NOTIFY": {"decoding": False, "poll_s": 5.0, "notified": True},
        "delete, polled every 50 ms": {"decoding": False, "poll_s": 0.05, "notified": False},
        "decode (SQL), told by NOTIFY": {"decoding": True, "poll_s": 5.0, "notified": True},
        "decode (SQL), polled every 50 ms": {"decoding": True, "poll_s": 0.05, "notified": False},
    }
    figures: dict[str, list[tuple[float, float, float, float]]] = {name: [] for name in ways}
    with tempfile.TemporaryDirectory() as directory:
        async with server(Path(directory)) as (dsn, process):
            reader, writer = await asyncpg.connect(dsn), await asyncpg.connect(dsn)
            await writer.execute(TABLE)
            await writer.execute("CREATE PUBLICATION p FOR TABLE outbox WITH (publish = 'insert')")
            for _ in range(3):
                for name, options in ways.items():
                    way = Way(reader, **options)  # type: ignore[arg-type]
                    await way.open()
                    rate = await drained(way, writer)
                    late = sorted(await delays(way, writer))
                    cost = await idle(way, process)
                    await way.close()
                    figures[name].append((rate, late[len(late) // 2], late[int(len(late) * 0.99)], cost))
            await reader.close()
            await writer.close()
    for name, rounds in figures.items():
        rate, p50, p99, cost = (statistics.median(column) for column in zip(*rounds, strict=True))
        sys.stdout.write(
            f"{name:34} {rate:>9,.0f} rows/s  p50 {p50:6.1f} ms  p99 {p99:6.1f} ms  cpu {cost:4.1f} %\n"
        )


if __name__ == "__main__":
    asyncio.run(main())
