import uuid

import httpx
import jwt
import pytest

PASSWORD = "a long enough phrase"


def account() -> dict[str, str]:
    return {"email": f"{uuid.uuid4().hex}@example.com", "password": PASSWORD}


async def test_a_token_verifies_against_the_published_key(api: httpx.AsyncClient) -> None:
    body = account()
    registered = await api.post("/api/v1/register", json=body)
    assert registered.status_code == 201, registered.text
    answer = await api.post("/api/v1/login", json={**body, "email": body["email"].upper()})
    assert answer.status_code == 200, answer.text
    token = answer.json()["access_token"]
    keys = (await api.get("/.well-known/jwks.json")).json()["keys"]
    assert keys[0]["kid"] == jwt.get_unverified_header(token)["kid"]
    claims = jwt.decode(token, jwt.PyJWK(keys[0]), algorithms=["RS256"], audience="ecommerce-api")
    assert claims["sub"] == registered.json()["user_id"]
    assert claims["role"] == "customer"


async def test_an_address_registers_once(api: httpx.AsyncClient) -> None:
    body = account()
    assert (await api.post("/api/v1/register", json=body)).status_code == 201
    again = await api.post("/api/v1/register", json={**body, "email": body["email"].upper()})
    assert again.status_code == 409
    assert again.json()["errors"][0]["field"] == "email"


async def test_unknown_user_and_wrong_password_get_the_same_answer(api: httpx.AsyncClient) -> None:
    body = account()
    await api.post("/api/v1/register", json=body)
    wrong = await api.post("/api/v1/login", json={**body, "password": "another long phrase"})
    unknown = await api.post("/api/v1/login", json=account())
    own = ("correlation_id",)
    assert wrong.status_code == unknown.status_code == 401
    assert {k: v for k, v in wrong.json().items() if k not in own} == {
        k: v for k, v in unknown.json().items() if k not in own
    }


async def test_guessing_is_slowed_down(api: httpx.AsyncClient) -> None:
    body = account()
    answers = [await api.post("/api/v1/login", json=body) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    assert int(answers[-1].headers["Retry-After"]) > 0


@pytest.mark.parametrize("password", ["short", "1234567890", "aaaaaaaaaaaa"])
async def test_weak_passwords_are_refused_by_rule(api: httpx.AsyncClient, password: str) -> None:
    answer = await api.post("/api/v1/register", json={**account(), "password": password})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "password"
    assert "input" not in answer.json()["errors"][0], "given values are never echoed"
