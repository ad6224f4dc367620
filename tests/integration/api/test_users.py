"""Accounts on a real server: whoever needs one waits for a connection only so long."""

import asyncio

import pytest

from api.auth.tokens import Role, User
from api.auth.users import Account, PostgresUsers
from api.problems import Problem
from api.settings import ViewsSettings
from api.views import open_pool
from deploy.run.migrate import bring_up_to_date
from schemas.envelope import fresh_id
from topics.settings import Settings


async def test_an_account_that_gets_no_connection_is_refused(settings: Settings, postgres: str) -> None:
    bring_up_to_date(settings)
    assert postgres == settings.postgres_dsn
    limits = ViewsSettings(connections=1, wait_seconds=0.3)
    account = Account(User(fresh_id(), "a@example.org", Role.CUSTOMER), "hash")
    async with open_pool(settings, limits) as pool:
        users = PostgresUsers(pool, limits)
        async with pool.acquire():
            for work in (users.by_email("a@example.org"), users.add(account)):
                with pytest.raises(Problem) as refused:
                    await asyncio.wait_for(work, 10)
                assert refused.value.status == 503
                assert refused.value.headers["Retry-After"]
            waiting = asyncio.create_task(users.add(account))
        await waiting
        assert await users.by_email("A@example.org") == account
        assert await users.by_id(account.user.user_id) == account
        assert await users.by_id(fresh_id()) is None
        assert await users.by_email("no address") is None
