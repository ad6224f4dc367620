"""A session that has ended is refused wherever its token is used, and where nobody knows, too."""

import asyncio
import time
from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pytest
from sse_starlette import EventSourceResponse
from starlette.types import Message

from api.app import create_app
from api.auth.caller import AnyCaller
from api.auth.ended import End, EndedSessions, Session
from api.auth.tokens import Role
from api.problems import Problem
from tests.unit.api.conftest import World


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def session(user: str = "ada", version: int = 1, seconds: float = 60) -> Session:
    return Session(uuid4().hex, user, version, int(time.time() + seconds))


def test_one_session_or_all_below_a_version_end() -> None:
    ended = EndedSessions(15)
    here, there, later, bob = session(), session(), session(version=2), session("bob")
    ended.note(End("ada", here.session_id, None))
    assert [ended.has_ended(each) for each in (here, there, later, bob)] == [True, False, False, False]
    ended.note(End("ada", None, 2))
    ended.note(End("ada", None, 1))
    assert [ended.has_ended(each) for each in (here, there, later, bob)] == [True, True, False, False]


def test_what_is_heard_from_the_beginning_replaces_what_was_known() -> None:
    ended = EndedSessions(15)
    old, new = session(), session("bob")
    ended.heard([End("ada", old.session_id, None)], 0)
    ended.heard([End("bob", None, 2)], 1)
    assert ended.has_ended(old)
    assert ended.has_ended(new)
    ended.heard([End("bob", None, 2)], 2, all_of_them=True)
    assert not ended.has_ended(old)
    assert ended.has_ended(new)


def test_whoever_has_not_heard_for_too_long_says_so() -> None:
    clock = Clock()
    ended = EndedSessions(15, clock)
    with pytest.raises(Problem):
        ended.check_hearing()
    ended.heard((), clock.now)
    clock.now += 15
    ended.check_hearing()
    clock.now += 0.1
    with pytest.raises(Problem) as refused:
        ended.check_hearing()
    assert refused.value.status == 503


async def test_whoever_waits_for_the_end_is_told() -> None:
    clock = Clock()
    ended = EndedSessions(15, clock)
    ended.heard((), clock.now)
    await asyncio.wait_for(ended.over(session(seconds=-5)), 1)
    ada, bob, gone = session(), session("bob"), session("gone")
    waiting = {each.user_id: asyncio.create_task(ended.over(each)) for each in (ada, bob)}
    await asyncio.sleep(0)
    ended.heard([End("ada", None, 2), End("gone", gone.session_id, None)], clock.now)
    await asyncio.wait_for(waiting["ada"], 1)
    await asyncio.wait_for(ended.over(gone), 1)
    assert not waiting["bob"].done()
    clock.now += 16
    with pytest.raises(Problem):
        ended.check_hearing()
    await asyncio.wait_for(waiting["bob"], 1)
    assert not ended._watched, "nothing is left of those that waited"


async def test_a_token_is_refused_everywhere_once_its_session_has_ended(
    client: httpx.AsyncClient, world: World
) -> None:
    headers = world.authorised(Role.STAFF, "ada")
    paths = ("/api/v1/cart", "/api/v1/orders", "/api/v1/inventory/A")
    before = [(await client.get(path, headers=headers)).status_code for path in paths]
    assert before == [200, 200, 404]
    world.services.ended.note(End("ada", None, 2))
    for path in paths:
        answer = await client.get(path, headers=headers)
        assert answer.status_code == 401, path
        assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    cookie = {"Cookie": f"ecommerce_token={headers['Authorization'].removeprefix('Bearer ')}"}
    for path in ("/", "/cart", "/orders", "/ops", "/account"):
        answer = await client.get(path, headers=cookie)
        assert (answer.status_code, answer.headers["location"].split("?")[0]) == (303, "/login"), path
        assert 'ecommerce_token=""' in answer.headers["set-cookie"]


async def test_where_nobody_knows_tokens_are_refused_and_guests_served(
    client: httpx.AsyncClient, world: World
) -> None:
    headers = world.authorised()
    world.services.ended.heard((), time.monotonic() - 3600)
    refused = await client.get("/api/v1/cart", headers=headers)
    assert refused.status_code == 503
    assert refused.headers["Retry-After"]
    assert (await client.get("/api/v1/cart")).status_code == 200


@pytest.mark.parametrize("ending", ["session", "version", "deaf", None])
async def test_an_open_stream_ends_with_its_session(world: World, ending: str | None) -> None:
    app = create_app(world.services.settings, services=world.services)
    begun, closed, gone = asyncio.Event(), asyncio.Event(), asyncio.Event()
    sessions: list[Session] = []

    @app.get("/stream")
    async def stream(caller: AnyCaller) -> EventSourceResponse:
        assert caller.bearer is not None
        sessions.append(caller.bearer.session)

        async def events() -> AsyncIterator[str]:
            try:
                yield "begun"
                begun.set()
                await asyncio.Event().wait()
            finally:
                closed.set()

        return EventSourceResponse(events())

    token = world.authorised(user_id="ada")["Authorization"]
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/stream",
        "query_string": b"",
        "headers": [(b"authorization", token.encode())],
    }
    told: list[Message] = []

    async def receive() -> Message:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        told.append(message)

    serving = asyncio.create_task(app(scope, receive, send))
    await asyncio.wait_for(begun.wait(), 5)
    await asyncio.sleep(0.05)
    assert not serving.done()
    ended = world.services.ended
    match ending:
        case "session":
            ended.note(End("ada", sessions[0].session_id, None))
        case "version":
            ended.heard([End("ada", None, 2)], time.monotonic())
        case "deaf":
            ended.heard((), time.monotonic() - 3600)
            with pytest.raises(Problem):
                ended.check_hearing()
        case None:
            gone.set()
    await asyncio.wait_for(serving, 5)
    await asyncio.wait_for(closed.wait(), 5)
    assert told[0]["status"] == 200
    assert told[-1].get("more_body", False) is (ending is None), (
        "an answer that is broken off here has an end"
    )
