"""The dead letters' pages in front of a desk of paper: who may, what is sent on, what is shown."""

from collections.abc import AsyncIterator, Sequence

import httpx
import pytest

from api.app import create_app
from api.auth.tokens import Role
from api.ops.desk import Letter, OpenLetter, Outcome
from api.ops.models import DeadLetterPage
from api.problems import Problem
from api.settings import ApiSettings
from tests.unit.api.conftest import World

HOME = "/ops/dead-letters"


def letter(
    identity: str, reason: str = "undecodable", standing: str = "waiting", domain: str = "cart"
) -> Letter:
    return Letter(identity, domain, reason, "bad byte", "t/0/1", "key", 1, 1_000, standing, "", "")


class PaperDesk:
    """Notes what it is asked to do."""

    def __init__(self) -> None:
        self.pile = [letter("a"), letter("b"), letter("c", "invalid"), letter("d", standing="redriven")]
        self.asked: list[tuple[object, ...]] = []
        self.refusal: dict[str, str] = {}

    def letters(self, domain: str | None, reason: str | None) -> Sequence[Letter]:
        return [one for one in self.pile if domain in (None, one.domain) and reason in (None, one.reason)]

    def open(self, identity: str) -> OpenLetter:
        (found,) = [one for one in self.pile if one.id == identity]
        return OpenLetter(found, {"traceparent": "00-abc"}, "Traceback <here>", "content", '{"data": 1}')

    def redrive(self, ids: Sequence[str], by: str) -> Outcome:
        return self._noted("redrive", list(ids), by)

    def redrive_edited(self, identity: str, text: str, by: str) -> Outcome:
        if text == "unsound":
            raise Problem(422, "`$.data` must be an object")
        return self._noted("edited", identity, text, by)

    def discard(self, ids: Sequence[str], by: str, note: str) -> Outcome:
        return self._noted("discard", list(ids), by, note)

    def _noted(self, *asked: object) -> Outcome:
        self.asked.append(asked)
        return Outcome(1, 0, self.refusal)


@pytest.fixture
def desk() -> PaperDesk:
    return PaperDesk()


@pytest.fixture
async def pages(world: World, limits: ApiSettings, desk: PaperDesk) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(world.services.settings, limits, world.services, desk)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as opened:
        yield opened
    await world.services.commands.close()


@pytest.fixture
def staff(world: World) -> dict[str, str]:
    return world.authorised(Role.STAFF)


@pytest.mark.parametrize("path", [HOME, f"{HOME}/a"])
async def test_only_staff_look(pages: httpx.AsyncClient, world: World, path: str) -> None:
    nobody = await pages.get(path)
    assert (nobody.status_code, nobody.headers["Location"][:6]) == (303, "/login")
    assert (await pages.get(path, headers=world.authorised())).status_code == 403


@pytest.mark.parametrize(
    ("action", "form"),
    [
        ("a/redrive", {}),
        ("a/edit", {"text": "x"}),
        ("a/discard", {"note": "x"}),
        ("redrive", {"domain": "cart", "reason": "undecodable"}),
    ],
)
async def test_only_staff_act_and_only_from_the_shops_own_pages(
    pages: httpx.AsyncClient,
    world: World,
    desk: PaperDesk,
    action: str,
    form: dict[str, str],
) -> None:
    path, staff = f"{HOME}/{action}", world.authorised(Role.STAFF)
    assert (await pages.post(path, data=form)).status_code == 303
    assert (await pages.post(path, data=form, headers=world.authorised())).status_code == 403
    token = staff["Authorization"].removeprefix("Bearer ")
    foreign = {"Cookie": f"ecommerce_token={token}", "Sec-Fetch-Site": "cross-site"}
    assert (await pages.post(path, data=form, headers=foreign)).status_code == 403
    assert desk.asked == []
    assert (await pages.post(path, data=form, headers=staff)).status_code == 303
    assert len(desk.asked) == 1


async def test_letters_are_found_by_reason_and_those_dealt_with_on_request(
    pages: httpx.AsyncClient, staff: dict[str, str]
) -> None:
    listed = (await pages.get(HOME, headers=staff)).text
    assert all(f"{HOME}/{one}" in listed for one in "abc")
    assert f"{HOME}/d" not in listed
    chosen = (await pages.get(f"{HOME}?domain=cart&reason=invalid", headers=staff)).text
    assert f"{HOME}/c" in chosen
    assert f'{HOME}/a"' not in chosen
    assert f"{HOME}/d" in (await pages.get(f"{HOME}?all=1", headers=staff)).text


async def test_a_letter_shows_content_and_stack_escaped(
    pages: httpx.AsyncClient, staff: dict[str, str]
) -> None:
    shown = (await pages.get(f"{HOME}/a", headers=staff)).text
    assert "Traceback &lt;here&gt;" in shown
    assert "Send as it was" in shown
    assert "Send as it was" not in (await pages.get(f"{HOME}/d", headers=staff)).text


async def test_all_that_wait_for_one_reason_are_sent_the_oldest_first(
    pages: httpx.AsyncClient, desk: PaperDesk, staff: dict[str, str]
) -> None:
    await pages.post(f"{HOME}/redrive", data={"domain": "cart", "reason": "undecodable"}, headers=staff)
    assert desk.asked == [("redrive", ["b", "a"], "ada@example.com")]


async def test_an_unsound_edit_comes_back_with_its_fault(
    pages: httpx.AsyncClient, desk: PaperDesk, staff: dict[str, str]
) -> None:
    answer = await pages.post(f"{HOME}/a/edit", data={"text": "unsound"}, headers=staff)
    assert answer.status_code == 422
    assert "`$.data` must be an object" in answer.text
    assert ">unsound</textarea>" in answer.text
    empty = await pages.post(f"{HOME}/a/edit", data={"text": ""}, headers=staff)
    assert empty.status_code == 422
    assert desk.asked == []


async def test_what_was_left_is_said(
    pages: httpx.AsyncClient, desk: PaperDesk, staff: dict[str, str]
) -> None:
    desk.refusal = {"a": "was discarded"}
    answer = await pages.post(f"{HOME}/a/redrive", headers=staff)
    assert answer.status_code == 409
    assert "a: was discarded" in answer.text


async def test_without_a_desk_the_page_says_so(client: httpx.AsyncClient, staff: dict[str, str]) -> None:
    assert (await client.get(HOME, headers=staff)).status_code == 503


async def test_a_long_list_is_paged_and_refused_rows_are_folded_away(
    pages: httpx.AsyncClient, desk: PaperDesk, staff: dict[str, str]
) -> None:
    desk.pile = [letter(f"n{number:02}") for number in range(30)]
    desk.pile += [letter(f"row{number}", "zero_price", domain="import") for number in range(273)]
    first = (await pages.get(HOME, headers=staff)).text
    assert first.count(f'href="{HOME}/n') == 25
    assert "273 rows of files were refused" in first
    assert f"{HOME}/row" not in first
    assert "Page 1 of 2" in first
    second = (await pages.get(f"{HOME}?page=2", headers=staff)).text
    assert second.count(f'href="{HOME}/n') == 5
    assert second == (await pages.get(f"{HOME}?page=900", headers=staff)).text
    rows = (await pages.get(f"{HOME}?domain=import&reason=zero_price", headers=staff)).text
    assert rows.count(f'href="{HOME}/row') == 25
    assert "Page 1 of 11" in rows


async def test_what_was_dealt_with_worries_nobody(
    world: World, limits: ApiSettings, desk: PaperDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def viewed(**_: object) -> DeadLetterPage:
        return DeadLetterPage(items=[], next_cursor=None, counts={"cart": {"undecodable": 3}})

    async def recent() -> int:
        return 0

    monkeypatch.setattr(world.services.ops, "dead_letters", viewed)
    monkeypatch.setattr(world.services.ops, "recent_dead_letters", recent)
    desk.pile = [letter("a", standing="redriven"), letter("b", standing="discarded")]
    app = create_app(world.services.settings, limits, world.services, desk)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as opened:
        shown = (await opened.get("/ops/tables", headers=world.authorised(Role.STAFF))).text
    assert "dead letters wait." not in shown
    assert "None waits." in shown
