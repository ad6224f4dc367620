"""What nobody can mean is refused by name, and is never an error of ours."""

import httpx
import pytest

from api.auth.tokens import Role
from tests.unit.api.conftest import World

SUBJECT = "/subjects/ecommerce.order.confirmed-value"


@pytest.mark.parametrize(
    "schema",
    [
        "[" * 100_000,
        '{"type":' * 400 + '"int"' + "}" * 400,
        '{"type": "record", "name": 5, "fields": []}',
        '{"type": "record", "name": "a", "fields": 1}',
        '{"type": "enum", "name": "a", "symbols": 1}',
        '{"type": "fixed", "name": "a"}',
        "null",
        "",
    ],
)
async def test_a_text_that_is_no_schema_is_told_as_such(client: httpx.AsyncClient, schema: str) -> None:
    answer = await client.post(SUBJECT, json={"schema": schema})
    assert answer.status_code in (404, 413, 422)
    assert len(answer.content) < 1_000


async def test_a_domain_that_there_is_not_is_named(client: httpx.AsyncClient, world: World) -> None:
    answer = await client.get("/api/v1/dead-letters?domain=carts", headers=world.authorised(Role.STAFF))
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert (error["field"], "cart, " in error["message"]) == ("domain", True)


@pytest.mark.parametrize("body", [b"email=a%00@example.com&password=x", b"email=a\x00&password=x"])
async def test_a_form_with_a_nul_is_refused(client: httpx.AsyncClient, body: bytes) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await client.post("/login", content=body, headers=headers)).status_code == 400


async def test_half_a_character_in_a_name_can_be_told(client: httpx.AsyncClient) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await client.post("/api/v1/login", content=b'{"\\ud800": 1}', headers=headers)
    assert answer.status_code == 422
    assert answer.json()["errors"]
