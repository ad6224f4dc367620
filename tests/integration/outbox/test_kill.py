"""The outbox source, its database and its broker, killed under load: each row told once, in order."""

import asyncio
import signal
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeAlias

import asyncpg
import httpx
import pytest

from connectors.outbox.source import OutboxSource
from connectors.postgres.errors import FAILURES
from tests.eventually import eventually_async
from tests.integration.outbox.published import events, process, running
from tests.integration.outbox.test_source import emptied, write
from tests.stack import Child, Stack
from topics.settings import PortOffset, Settings

USERS = 20
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"


class Writers:
    """Accounts changed without end; `committed` is what PostgreSQL has taken for sure."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.committed = {str(uuid.uuid4()): 0 for _ in range(USERS)}

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        stopping = asyncio.Event()
        tasks = [asyncio.create_task(self._write(user, stopping)) for user in self.committed]
        try:
            yield
        finally:
            stopping.set()
            await asyncio.gather(*tasks)

    async def _write(self, user: str, stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            try:
                async with self._pool.acquire() as connection:
                    # A commit whose answer was lost is found out before the next version is given.
                    version = await connection.fetchval(
                        "SELECT coalesce(max(version), 0) FROM written WHERE key = $1", user
                    )
                    self.committed[user] = version
                    async with connection.transaction():
                        await write(connection, user, version + 1)
                        await connection.execute("INSERT INTO written VALUES ($1, $2)", user, version + 1)
                    self.committed[user] = version + 1
            except FAILURES:
                await asyncio.sleep(0.05)
        async with self._pool.acquire() as connection:
            self.committed[user] = await connection.fetchval(
                "SELECT coalesce(max(version), 0) FROM written WHERE key = $1", user
            )

    @property
    def total(self) -> int:
        return sum(self.committed.values())

    async def grown(self, by: int) -> None:
        until = self.total + by

        async def total() -> int:
            return self.total

        await eventually_async(total, lambda count: count >= until, seconds=60)


@pytest.fixture
async def writers(pool: Pool) -> Writers:
    await pool.execute("CREATE TABLE written (key text, version bigint, PRIMARY KEY (key, version))")
    return Writers(pool)


async def told_once_in_order(settings: Settings, writers: Writers) -> int:
    """Check what readers see who know an event by its id; return how many records came twice."""
    told = await events(settings, writers.committed)
    twice = 0
    for user, version in writers.committed.items():
        first = list({each.event_id: each.aggregate_version for each in told[user]}.values())
        assert first == [*range(1, version + 1)], user
        twice += len(told[user]) - len(first)
    return twice


async def test_the_source_is_killed_again_and_again(accounts: Settings, pool: Pool, writers: Writers) -> None:
    async with writers.at_work():
        for _ in range(4):
            async with process(accounts) as victim:
                await writers.grown(by=300)
                await eventually_async(lambda: events(accounts, writers.committed), seconds=60)
                victim.kill()
                await victim.wait()
    async with process(accounts) as last:
        await emptied(pool)
        async with httpx.AsyncClient() as client:
            port = accounts.port(PortOffset.OUTBOX_METRICS)

            async def metrics() -> str:
                return (await client.get(f"http://{accounts.host}:{port}/metrics")).text

            text = await eventually_async(
                metrics, lambda found: 'ecommerce_source_lag_records{source="outbox"} 0.0' in found
            )
        assert 'ecommerce_source_up{source="outbox"} 1.0' in text
        assert 'ecommerce_source_lag_seconds{source="outbox"} 0.0' in text
        last.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(last.wait(), 30) == 0
    twice = await told_once_in_order(accounts, writers)
    print(f"{writers.total} rows, {twice} records sent twice under the same id")  # noqa: T201 (a figure)


@pytest.mark.parametrize("server", [Stack.postgres, Stack.kafka])
async def test_a_server_is_killed_under_load(
    accounts: Settings, pool: Pool, writers: Writers, stack: Stack, server: Callable[[Stack], Child]
) -> None:
    source = OutboxSource(accounts)
    async with running(source):
        async with writers.at_work():
            await writers.grown(by=200)
            victim = server(stack)
            await asyncio.to_thread(victim.kill)
            await asyncio.to_thread(victim.start)
            await writers.grown(by=200)
        await emptied(pool)

        async def healthy() -> bool:
            return source.healthy

        await eventually_async(healthy, seconds=60)
    twice = await told_once_in_order(accounts, writers)
    print(f"{writers.total} rows, {twice} records sent twice under the same id")  # noqa: T201 (a figure)
