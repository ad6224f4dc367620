"""What the ops page says when something that it shows is away."""

from typing import Any

import httpx
import pytest

from api.ops.models import DeadLetterPage
from api.ops.waiting import apart, total
from api.problems import Problem, unavailable
from api.settings import ApiSettings
from schemas.envelope import Message
from schemas.service import ServicePong
from tests.unit.api.conftest import World
from tests.unit.api.fakes import Reply
from topics.registry import SERVICE_PONG


@pytest.fixture
def limits() -> ApiSettings:
    return ApiSettings(ping_seconds=0.5, open_ops=True)


@pytest.fixture
def views(world: World, monkeypatch: pytest.MonkeyPatch) -> list[Problem]:
    """The problems that the views have: none, until one is put into the list."""
    problems: list[Problem] = []

    async def dead_letters(**_: object) -> DeadLetterPage:
        if problems:
            raise problems[0]
        counts = {"import": {"zero_price": 273}, "order": {"invalid": 3}}
        return DeadLetterPage(items=[], next_cursor=None, counts=counts)

    async def recent() -> int:
        return 0

    monkeypatch.setattr(world.services.ops, "dead_letters", dead_letters)
    monkeypatch.setattr(world.services.ops, "recent_dead_letters", recent)
    return problems


def sick(message: Message[Any]) -> list[Reply]:
    said = {"postgres": "away, attempt 7: ConnectionRefusedError: <no> answer", "redis": "up"}
    ping = message.data.ping_id
    return [(SERVICE_PONG, ping, ServicePong(ping, "sink", "s-0", False, 1, said), 0)]  # noqa: FBT003


async def test_a_sink_whose_target_is_away_says_which_and_why(
    client: httpx.AsyncClient, world: World, views: list[Problem]
) -> None:
    del views
    world.broker.reply = sick
    page = (await client.get("/ops/tables")).text
    assert "<b>postgres</b> away, attempt 7: ConnectionRefusedError: &lt;no&gt; answer" in page
    assert "worker" in page, "what is missing is named"
    assert "no answer" in page
    assert "0/2" in page
    assert "Needs a look" in page
    assert "<li>worker does not answer.</li><li>sink s-0 is unhealthy.</li>" in page


async def test_the_page_is_there_when_the_views_are_not(
    client: httpx.AsyncClient, world: World, views: list[Problem]
) -> None:
    world.broker.reply = sick
    views.append(unavailable("the store of views"))
    answer = await client.get("/ops/tables")
    assert answer.status_code == 200
    assert "does not answer" in answer.text
    assert "attempt 7" in answer.text
    views[0] = Problem(400, "a cursor of another list")
    assert (await client.get("/ops/tables")).status_code == 400


async def test_rows_that_were_refused_on_purpose_are_counted_apart(
    client: httpx.AsyncClient, views: list[Problem]
) -> None:
    del views
    page = (await client.get("/ops/tables")).text
    assert "3 dead letters wait." in page
    assert "<summary>273 rows of files were refused</summary>" in page
    assert "276" not in page


def test_what_the_outbox_could_not_publish_is_no_refused_row() -> None:
    counts = {"import": {"zero_price": 2, "unpublishable": 1}, "cart": {"undecodable": 4}}
    failed, rows = apart(counts)
    assert failed == {"import": {"unpublishable": 1}, "cart": {"undecodable": 4}}
    assert (rows, total(rows), total(failed)) == ({"import": {"zero_price": 2}}, 2, 5)
