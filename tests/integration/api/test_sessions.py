"""Sessions end within a second, in every process, whoever ends them: by the API, by an operator, by SQL."""

import asyncio
import time
import unicodedata
import uuid
from collections.abc import AsyncIterator

import asyncpg
import httpx
import jwt
import pytest

from api.app import create_app
from api.auth.ended import EndedSessions, Session
from api.auth.following import Following
from api.auth.staff import AccountError, make_staff, revoke_staff
from api.problems import Problem
from api.settings import ApiSettings
from deploy.run.migrate import bring_up_to_date
from tests.eventually import eventually_async
from tests.integration.api.conftest import serving
from topics.settings import PortOffset, Settings

PASSWORD = "a long enough phrase"
NEW_PASSWORD = "another long phrase"
WITHIN_SECONDS = 1.0
# Beyond the second that is promised: what a busy machine may be late by.
SPARE_SECONDS = 2.0

ORDER = """
INSERT INTO orders (order_id, kind, status, cart_id, user_id, currency, goods, charged, total, placed_at,
                    updated_at, version, correlation_id)
VALUES ($1, 'sale', 'confirmed', gen_random_uuid(), $2, 'GBP', 1, 0, 1, now(), now(), 1, gen_random_uuid())
"""


def account() -> dict[str, str]:
    return {"email": f"{uuid.uuid4().hex}@example.com", "password": PASSWORD}


@pytest.fixture
async def other(
    api: httpx.AsyncClient,  # noqa: ARG001 (the process that the sessions end in)
    api_settings: Settings,
    provider: str,
) -> AsyncIterator[httpx.AsyncClient]:
    """Another process's application, which hears of nothing but by the database."""
    settings = api_settings.model_copy(update={"payment_provider": provider})
    port = settings.port(PortOffset.API) + 50
    async with (
        serving(create_app(settings, ApiSettings()), port),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client,
    ):
        yield client


async def logged_in(client: httpx.AsyncClient, body: dict[str, str]) -> dict[str, str]:
    answer = await client.post("/api/v1/login", json=body)
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


async def registered(client: httpx.AsyncClient) -> dict[str, str]:
    body = account()
    assert (await client.post("/api/v1/register", json=body)).status_code == 201
    return body


async def ends(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    """Wait until a token is refused: within a second, and no later than a busy machine makes it."""
    began = time.monotonic()

    async def status() -> int:
        return (await client.get("/api/v1/orders", headers=headers)).status_code

    await eventually_async(status, lambda found: found == 401, seconds=10)
    assert time.monotonic() - began < WITHIN_SECONDS + SPARE_SECONDS


async def goes_on(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    answer = await client.get("/api/v1/orders", headers=headers)
    assert answer.status_code == 200, answer.text


async def test_logging_out_ends_one_session_or_all_in_every_process(
    api: httpx.AsyncClient, other: httpx.AsyncClient
) -> None:
    body = await registered(api)
    first, second = await logged_in(api, body), await logged_in(other, body)
    await goes_on(other, first)
    answer = await api.post("/api/v1/logout", headers=first)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert (await api.get("/api/v1/orders", headers=first)).status_code == 401, "here at once"
    await ends(other, first)
    await goes_on(api, second)

    assert (await api.post("/api/v1/logout-everywhere", headers=second)).status_code == 204
    await ends(other, second)
    await goes_on(other, await logged_in(api, body))
    assert (await api.post("/api/v1/logout")).status_code == 401


async def test_a_new_password_ends_the_other_sessions(
    api: httpx.AsyncClient, other: httpx.AsyncClient
) -> None:
    body = await registered(api)
    elsewhere, here = await logged_in(other, body), await logged_in(api, body)
    change = {"password": "not the password", "new_password": NEW_PASSWORD}
    wrong = await api.post("/api/v1/password", json=change, headers=here)
    assert (wrong.status_code, wrong.json()["errors"][0]["rule"]) == (422, "wrong")
    weak = await api.post(
        "/api/v1/password", json={"password": PASSWORD, "new_password": "short"}, headers=here
    )
    assert (weak.status_code, weak.json()["errors"][0]["field"]) == (422, "new_password")
    await goes_on(other, elsewhere)

    changed = await api.post("/api/v1/password", json={**change, "password": PASSWORD}, headers=here)
    assert changed.status_code == 200, changed.text
    await ends(other, elsewhere)
    await ends(api, here)
    await goes_on(other, {"Authorization": f"Bearer {changed.json()['access_token']}"})
    assert (await api.post("/api/v1/login", json=body)).status_code == 401
    await logged_in(api, {**body, "password": NEW_PASSWORD})


async def test_roles_take_effect_within_a_second(
    api: httpx.AsyncClient, api_settings: Settings, staff: dict[str, str], database: asyncpg.Connection
) -> None:
    assert (await api.get("/api/v1/ops/lag", headers=staff)).status_code == 200
    email = await database.fetchval(
        "SELECT email FROM identity.users WHERE role = 'staff' ORDER BY created_at DESC"
    )
    assert (await revoke_staff(api_settings, email.upper())).role == "customer"
    await ends(api, staff)
    again = await logged_in(api, {"email": email, "password": PASSWORD})
    assert (await api.get("/api/v1/ops/lag", headers=again)).status_code == 403
    with pytest.raises(AccountError, match="has no account"):
        await revoke_staff(api_settings, account()["email"])


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM identity.users WHERE email = $1",
        "UPDATE identity.users SET deactivated_at = now() WHERE email = $1",
        "UPDATE identity.users SET role = 'staff' WHERE email = $1",
        "UPDATE identity.users SET password_hash = 'x' WHERE email = $1",
        "UPDATE identity.users SET session_version = session_version + 1 WHERE email = $1",
    ],
)
async def test_whoever_changes_an_account_ends_its_sessions(
    api: httpx.AsyncClient, database: asyncpg.Connection, statement: str
) -> None:
    body, bystander = await registered(api), await registered(api)
    token, untouched = await logged_in(api, body), await logged_in(api, bystander)
    await database.execute(statement, body["email"])
    await ends(api, token)
    await goes_on(api, untouched)
    if "deactivated" in statement:
        refused = await api.post("/api/v1/login", json=body)
        unknown = await api.post("/api/v1/login", json={**body, "password": "wrong " + PASSWORD})
        assert refused.status_code == unknown.status_code == 401
        assert refused.json()["detail"] == unknown.json()["detail"]


async def test_an_end_that_commits_late_is_heard_of(
    api: httpx.AsyncClient, database: asyncpg.Connection
) -> None:
    """A transaction that began first and commits last has lower positions than others that were read."""
    late, other = await registered(api), await registered(api)
    token, gone = await logged_in(api, late), await logged_in(api, other)
    transaction = database.transaction()
    await transaction.start()
    await database.execute("DELETE FROM identity.users WHERE email = $1", late["email"])
    assert (await api.post("/api/v1/logout-everywhere", headers=gone)).status_code == 204
    await asyncio.sleep(1.5)
    await goes_on(api, token)
    await transaction.commit()
    await ends(api, token)


@pytest.mark.parametrize("path", ["/api/v1/orders/{}/events", "/orders/{}/progress"])
async def test_an_open_stream_ends_with_the_session(
    api: httpx.AsyncClient, database: asyncpg.Connection, customer: dict[str, str], path: str
) -> None:
    claims = jwt.decode(
        customer["Authorization"].removeprefix("Bearer "), options={"verify_signature": False}
    )
    order_id = uuid.uuid4()
    await database.execute(ORDER, order_id, uuid.UUID(claims["sub"]))
    async with api.stream("GET", path.format(order_id), headers=customer) as stream:
        assert stream.status_code == 200
        assert (await api.post("/api/v1/logout", headers=customer)).status_code == 204
        async with asyncio.timeout(10):
            async for _ in stream.aiter_lines():
                pass


async def test_an_unverified_account_is_promoted_with_a_new_password(
    api: httpx.AsyncClient, api_settings: Settings, database: asyncpg.Connection
) -> None:
    body = await registered(api)
    token = await logged_in(api, body)
    promoted = await make_staff(api_settings, body["email"], None)
    assert promoted.user.role == "staff"
    assert promoted.password is not None
    await ends(api, token)
    assert (await api.post("/api/v1/login", json=body)).status_code == 401, "whoever registered it is out"
    staff = await api.post("/api/v1/login", json={**body, "password": promoted.password})
    assert staff.json()["user"]["role"] == "staff"
    assert (await make_staff(api_settings, body["email"], None)).password is None, "it is staff already"

    verified = await registered(api)
    await database.execute(
        "UPDATE identity.users SET verified_at = now() WHERE email = $1", verified["email"]
    )
    assert (await make_staff(api_settings, verified["email"], None)).password is None
    assert (await api.post("/api/v1/login", json=verified)).json()["user"]["role"] == "staff"
    for wrong in (account()["email"], "no address"):
        with pytest.raises(AccountError):
            await make_staff(api_settings, wrong, None)


async def test_who_cannot_hear_of_ends_refuses_tokens_until_it_hears_again(
    settings: Settings, postgres: str
) -> None:
    """A connection that breaks is made anew, and everything is read again; without one, nobody passes."""
    bring_up_to_date(settings)
    ended = EndedSessions(2)
    user = uuid.uuid4()
    session = Session("session", str(user), 1, int(time.time()) + 60)
    operator = await asyncpg.connect(postgres)

    def deaf() -> bool:
        try:
            ended.check_hearing()
        except Problem:
            return True
        return False

    async with Following(postgres, ended, 3600).running():
        assert not deaf()
        await operator.execute("INSERT INTO identity.users VALUES ($1, 'a@example.org', 'hash')", user)
        await operator.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'ecommerce-api-sessions' AND datname = current_database()"
        )
        await operator.execute("DELETE FROM identity.users WHERE user_id = $1", user)
        await eventually_async(
            lambda: asyncio.sleep(0, ended.has_ended(session)), lambda found: found, seconds=10
        )
        assert not deaf()
    await operator.close()
    await eventually_async(lambda: asyncio.sleep(0, deaf()), lambda found: found, seconds=10)


ADDRESSES = [
    ("Bob-{}@Example.COM", "  bob-{}@example.com "),
    ("ren\u00e9e-{}@example.org", "rene\u0301e-{}@example.org"),
    ("u-{}@b\u00fccher.example", "u-{}@xn--bcher-kva.example"),
    ("u-{}@xn--bcher-kva.example", "u-{}@b\u00fccher.example"),
]


@pytest.mark.parametrize(("as_registered", "as_typed"), ADDRESSES)
@pytest.mark.parametrize("by_page", [True, False])
async def test_an_address_names_one_account_however_it_is_typed(
    api: httpx.AsyncClient, as_registered: str, as_typed: str, *, by_page: bool
) -> None:
    unique = uuid.uuid4().hex[:8]
    first, second = as_registered.format(unique), as_typed.format(unique)
    password = "cr\u00e8me br\u00fbl\u00e9e, please"
    typed = unicodedata.normalize("NFD", password)
    assert typed != password
    made = await api.post("/register", data={"email": first, "password": password})
    assert made.status_code == 303, made.text
    api.cookies.clear()
    if by_page:
        page = await api.post("/login", data={"email": second, "password": typed})
        assert page.status_code == 303, page.text
        api.cookies.clear()
        taken = await api.post("/register", data={"email": second, "password": password})
        assert "already has an account" in taken.text
    else:
        answer = await api.post("/api/v1/login", json={"email": second, "password": typed})
        assert answer.status_code == 200, answer.text
        taken = await api.post("/api/v1/register", json={"email": second, "password": password})
        assert taken.status_code == 409
    api.cookies.clear()


async def test_accounts_of_an_older_release_are_found(
    api: httpx.AsyncClient, database: asyncpg.Connection
) -> None:
    body = await registered(api)
    await database.execute("UPDATE identity.users SET address = NULL WHERE email = $1", body["email"])
    await logged_in(api, {**body, "email": f" {body['email'].upper()} "})
