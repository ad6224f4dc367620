"""The API's pool on a real server: a query waits only so long, and no longer there than here."""

import asyncio

import asyncpg
import pytest

from api.problems import Problem
from api.settings import ViewsSettings
from api.views import Views, open_pool
from tests.eventually import eventually_async
from topics.settings import Settings

_SLEEPING = (
    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'ecommerce-api'"
    " AND datname = current_database() AND state = 'active' AND query LIKE '%pg_sleep%'"
)


async def test_a_query_that_takes_too_long_ends_on_both_sides(settings: Settings, postgres: str) -> None:
    limits = ViewsSettings(statement_seconds=0.5)
    watching = await asyncpg.connect(postgres)
    async with open_pool(settings, limits) as pool:
        with pytest.raises(Problem) as refused:
            await Views(pool, limits).rows("SELECT pg_sleep(60)")
        assert refused.value.status == 503
        await eventually_async(lambda: watching.fetchval(_SLEEPING), lambda count: count == 0, seconds=10)
        assert await Views(pool, limits).rows("SELECT 1")
    await watching.close()


async def test_the_server_ends_a_query_whose_client_is_gone(settings: Settings, postgres: str) -> None:
    limits = ViewsSettings(statement_seconds=0.5)
    watching = await asyncpg.connect(postgres)
    async with open_pool(settings, limits) as pool, pool.acquire() as connection:
        with pytest.raises(asyncpg.QueryCanceledError, match="statement timeout"):
            await connection.fetch("SELECT pg_sleep(60)", timeout=30)
    assert await watching.fetchval(_SLEEPING) == 0
    await watching.close()


async def test_a_query_that_gets_no_connection_is_refused(settings: Settings, postgres: str) -> None:
    limits = ViewsSettings(connections=1, wait_seconds=0.3)
    assert postgres == settings.postgres_dsn
    async with open_pool(settings, limits) as pool:
        views = Views(pool, limits)
        async with pool.acquire():
            with pytest.raises(Problem) as refused:
                await views.rows("SELECT 1")
            assert refused.value.status == 503
            waiting = asyncio.create_task(views.rows("SELECT 1"))
        assert await waiting, "it comes to its turn when the connection is free"
