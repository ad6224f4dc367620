"""What a request may carry: an attacker's body costs a refusal, and the refusal is small."""

import json
import time
from collections.abc import AsyncIterator

import httpx
import pytest

from api.bodies import DEEPEST, MOST_VALUES, fault_of_json

PLACE = "/api/v1/cart/items"
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
SMALL = 10_000
"""Bytes of the largest answer to what is refused."""
LOOP_S = 0.02
"""Seconds of the loop, of which there is one: nobody else is served meanwhile."""


def unknown(count: int, name: str = "k") -> bytes:
    return json.dumps({f"{name}{number}": 1 for number in range(count)}, ensure_ascii=False).encode()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (unknown(80_000), 413),
        (unknown(4_000), 422),
        (unknown(MOST_VALUES // 2 - 1), 422),
        (unknown(400, "😀" * 20), 422),
        (unknown(1, "k" * 60_000), 422),
        (unknown(1, "😀" * 15_000), 422),
        (b'{"sku": "A", "quantity": ' + b"9" * 60_000 + b"}", 400),
        (b'{"sku": "A", "quantity": ' + b"9" * 4_000 + b"}", 422),
        (b'{"sku": "A", "quantity": 1e999}', 422),
        (b'{"sku": "' + b"A" * 60_000 + b'"}', 422),
        (b'{"sku": "A", "quantity": "' + "😀".encode() * 15_000 + b'"}', 422),
        (b"[" * 100_000, 413),
        (b"[" * 60_000, 422),
        (b"[" * 900 + b"]" * 900, 422),
        (b'{"a":' * 10_000, 422),
        (b'{"\\ud800": 1}', 422),
        (b'{"sku": "\\ud800"}', 422),
        (json.dumps({"sku": "A", "quantity": 1}).encode("utf-16"), 400),
        (b'"' + b'\\"' * 30_000, 400),
        (b"\xff\xfe", 400),
    ],
)
async def test_no_body_costs_more_than_a_small_refusal(
    client: httpx.AsyncClient, body: bytes, status: int
) -> None:
    await client.post(PLACE, content=b"{}", headers=JSON)
    took = []
    for _ in range(3):
        began = time.process_time()
        answer = await client.post(PLACE, content=body, headers=JSON)
        took.append(time.process_time() - began)
    assert answer.status_code == status, answer.text[:500]
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(answer.content) < SMALL
    assert min(took) < LOOP_S


async def test_so_many_errors_are_told_and_the_rest_is_counted(client: httpx.AsyncClient) -> None:
    problem = (await client.post(PLACE, content=unknown(100), headers=JSON)).json()
    # The SKU that is missing is an error, too.
    assert (len(problem["errors"]), problem["more_errors"]) == (20, 81)


async def test_a_body_in_pieces_is_looked_at_as_a_whole(client: httpx.AsyncClient) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        whole = unknown(4_000)
        for start in range(0, len(whole), 1_000):
            yield whole[start : start + 1_000]

    answer = await client.post(PLACE, content=pieces(), headers=JSON)
    assert (answer.status_code, "more than" in answer.json()["detail"]) == (422, True)


async def test_a_form_with_too_many_fields_is_refused(client: httpx.AsyncClient) -> None:
    for count in (100_000, 30_000):
        took = []
        for _ in range(3):
            began = time.process_time()
            answer = await client.post("/login", content=b"&".join([b"a"] * count), headers=FORM)
            took.append(time.process_time() - began)
        assert min(took) < LOOP_S
        assert answer.status_code in (413, 422)
        assert len(answer.content) < SMALL


async def test_an_address_with_too_many_parameters_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/v1/products?" + "&".join(["a=1"] * 10_000))
    assert (answer.status_code, len(answer.content) < SMALL) == (400, True)


async def test_a_long_address_is_not_told_back_whole(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/v1/" + "x" * 50_000)
    assert (answer.status_code, len(answer.content) < SMALL) == (404, True)


@pytest.mark.parametrize(
    ("body", "fine"),
    [
        (b'{"text": "' + b"[{,:" * 5_000 + b'"}', True),
        (b'{"text": "' + b'\\"[' * 5_000 + b'"}', True),
        (b'{"text": "\\\\", "more": [' + b"1," * MOST_VALUES + b"1]}", False),
        (b"[" * DEEPEST + b"]" * DEEPEST, True),
        (b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1), False),
        (b'["' + b"]" * 50 + b'",' + b"[" * DEEPEST + b"]" * DEEPEST + b"]", False),
        (b"[" + b"[]," * 300 + b"[]]", True),
    ],
)
def test_what_stands_in_a_text_is_no_structure(body: bytes, *, fine: bool) -> None:
    assert (fault_of_json(body) is None) == fine
