"""The outbox source on real servers: what is published, in which order, and what is refused."""

import asyncio
import random
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TypeAlias

import asyncpg
import msgspec
import pytest

from api.auth.staff import make_staff
from api.auth.tokens import Role, User
from api.auth.users import Account, EmailTakenError, PostgresUsers
from connectors.outbox.row import OutboxRow
from connectors.outbox.source import OutboxSource
from connectors.outbox.store import OutboxStore
from deploy.run.migrate import bring_up_to_date
from schemas.envelope import fresh_id
from schemas.user import UserRole
from sinks.migrate import migrate
from sinks.verify.spans import spans
from tests.eventually import eventually_async
from tests.integration.outbox.published import TOPICS, events, records, running
from topics.registry import DEAD_LETTERS, USER_REGISTERED, USER_UPDATED
from topics.settings import Settings

SECRET = "$argon2id$a-hash-that-nobody-may-see"
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"


async def emptied(pool: Pool) -> None:
    await eventually_async(
        lambda: pool.fetchval("SELECT count(*) FROM identity.outbox"), lambda count: count == 0, seconds=60
    )


async def write(connection: asyncpg.Connection, user: str, version: int, topic: str | None = None) -> None:
    data = {"email": f"{user}@example.com", "role": "customer", "registered_at": 1, "updated_at": version}
    await connection.execute(
        "INSERT INTO identity.outbox (topic, key, version, data) VALUES ($1, $2, $3, $4)",
        topic or USER_UPDATED.name,
        user,
        version,
        msgspec.json.encode(data).decode(),
    )


async def test_accounts_are_told_of_and_their_secrets_are_not(accounts: Settings, pool: Pool) -> None:
    users = PostgresUsers(pool)
    user = User(fresh_id(), f"{uuid.uuid4().hex}@example.com", Role.CUSTOMER)
    await users.add(Account(user, SECRET))
    with pytest.raises(EmailTakenError):
        await users.add(Account(User(fresh_id(), user.email.upper(), Role.CUSTOMER), SECRET))
    await make_staff(accounts, user.email, "another long phrase")
    await make_staff(accounts, user.email, "yet another long phrase")

    async with running(OutboxSource(accounts)):
        await emptied(pool)

    registered, updated = (await events(accounts, [user.user_id]))[user.user_id]
    assert (registered.event_type, registered.aggregate_version) == (USER_REGISTERED.name, 1)
    assert (updated.event_type, updated.aggregate_version) == (USER_UPDATED.name, 2)
    assert (registered.data.role, updated.data.role) == (UserRole.CUSTOMER, UserRole.STAFF)
    assert registered.data.email == updated.data.email == user.email
    assert registered.data.registered_at == updated.data.registered_at <= updated.data.updated_at
    everything = b"".join(key + value for key, value in await records(accounts))
    assert b"argon2" not in everything
    assert b"long phrase" not in everything


async def test_accounts_older_than_the_outbox_are_told_of_once(settings: Settings, postgres: str) -> None:
    migrate(settings, revision="0001")
    connection = await asyncpg.connect(postgres)
    try:
        await connection.execute(
            "INSERT INTO users (user_id, email, password_hash) VALUES ($1, 'old@example.com', $2)",
            uuid.uuid4(),
            SECRET,
        )
        bring_up_to_date(settings)
        bring_up_to_date(settings)
        rows = await connection.fetch("SELECT topic, data FROM identity.outbox")
    finally:
        await connection.close()
    assert [row["topic"] for row in rows] == [USER_REGISTERED.name]
    told = msgspec.json.decode(rows[0]["data"], type=USER_REGISTERED.data)
    assert told.email == "old@example.com"
    assert told.registered_at == told.updated_at > 1_700_000_000_000


async def test_a_row_that_commits_after_later_ones_is_not_passed_by(accounts: Settings, pool: Pool) -> None:
    slow, quick = str(uuid.uuid4()), str(uuid.uuid4())
    async with pool.acquire() as connection, running(OutboxSource(accounts)):
        transaction = connection.transaction()
        await transaction.start()
        await write(connection, slow, 1)
        async with pool.acquire() as other:
            await write(other, quick, 1)
        await eventually_async(lambda: events(accounts, [quick]))
        await transaction.commit()
        await emptied(pool)
    assert len((await events(accounts, [slow]))[slow]) == 1


async def test_an_account_changed_by_many_at_once_is_told_in_order(accounts: Settings, pool: Pool) -> None:
    seed = random.randrange(10**6)
    print("seed", seed)  # noqa: T201 (shown where the test fails)
    chance = random.Random(seed)
    users = [str(uuid.uuid4()) for _ in range(5)]
    await pool.executemany(
        "INSERT INTO identity.users (user_id, email, password_hash) VALUES ($1, $2, 'x')",
        [(user, f"{user}@example.com") for user in users],
    )

    async def change() -> None:
        for _ in range(10):
            async with pool.acquire() as connection, connection.transaction():
                # Rows of other accounts first: transaction ids and positions then say different things.
                await connection.execute("SELECT pg_current_xact_id()")
                user = chance.choice(users)
                version = await connection.fetchval(
                    "UPDATE identity.users SET version = version + 1 WHERE user_id = $1 RETURNING version",
                    user,
                )
                await write(connection, user, version)

    # Two sources: one publishes, the other stands by, and they change places as it comes.
    async with running(OutboxSource(accounts, batch=7), OutboxSource(accounts, batch=7)):
        await asyncio.gather(*(change() for _ in range(12)))
        await emptied(pool)

    told = await events(accounts, users)
    assert sum(len(each) for each in told.values()) == 120
    for messages in told.values():
        assert [each.aggregate_version for each in messages] == [*range(2, len(messages) + 2)]


async def test_a_row_that_is_no_message_is_refused_alone(accounts: Settings, pool: Pool) -> None:
    user = str(uuid.uuid4())
    letters = [DEAD_LETTERS["user"].name, DEAD_LETTERS["import"].name]
    async with pool.acquire() as connection:
        await write(connection, user, 1)
        await connection.execute(
            "INSERT INTO identity.outbox (topic, key, version, data) VALUES ($1, $2, 2, $3)",
            USER_UPDATED.name,
            user,
            '{"email": "a@b", "role": "owner", "registered_at": 1, "updated_at": 2}',
        )
        await write(connection, user, 3, topic="ecommerce.user.married")
        await write(connection, user, 4)
    async with running(OutboxSource(accounts)):
        await emptied(pool)
    assert [each.aggregate_version for each in (await events(accounts, [user]))[user]] == [1, 4]
    refused = [value for key, value in await records(accounts, letters) if key == user.encode()]
    assert len(refused) == 2
    assert any(b'"owner"' in value for value in refused)


async def test_sent_and_not_let_go_it_is_sent_again_as_the_same_event(
    accounts: Settings, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = str(uuid.uuid4())
    async with pool.acquire() as connection:
        for version in (1, 2, 3):
            await write(connection, user, version)
    whole = OutboxStore.batch
    cut: list[int] = []

    @asynccontextmanager
    async def breaks_once(store: OutboxStore, limit: int) -> AsyncIterator[Sequence[OutboxRow] | None]:
        async with whole(store, limit) as rows:
            yield rows
            if rows and not cut:
                cut.append(len(rows))
                raise ConnectionResetError("cut off before the commit")

    monkeypatch.setattr(OutboxStore, "batch", breaks_once)
    before = sum((await spans(accounts, TOPICS)).ends.values())
    async with running(OutboxSource(accounts)):
        await emptied(pool)
    assert cut == [3]
    assert sum((await spans(accounts, TOPICS)).ends.values()) == before + 6
    told = (await events(accounts, [user]))[user]
    assert [each.aggregate_version for each in told] == [1, 2, 3, 1, 2, 3]
    assert len({each.event_id for each in told}) == 3
