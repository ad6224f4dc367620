"""The simulated provider: cards, keys, the rules of money, and a memory that survives."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.payments.simulator.app import create_app
from connectors.payments.simulator.cards import FIXED_TOKENS, behaviour, valid_number

Client = httpx.AsyncClient

KEY = "a-key-of-the-provider"
HELD = {"Authorization": f"Bearer {KEY}"}
MONEY = {"order_id": "order-1", "amount": 3270, "currency": "GBP"}


@asynccontextmanager
async def client_of(path: Path) -> AsyncIterator[Client]:
    app = create_app(path, KEY)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        Client(transport=transport, base_url="http://test", headers=HELD) as client,
    ):
        yield client


def contains(path: Path, text: bytes) -> bool:
    return any(text in file.read_bytes() for file in path.parent.iterdir())


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    return tmp_path / "provider" / "ledger.sqlite3"


@pytest.fixture
async def provider(memory: Path) -> AsyncIterator[Client]:
    async with client_of(memory) as client:
        yield client


async def ask(provider: Client, path: str, key: str, **body: Any) -> httpx.Response:
    return await provider.post(path, json=body, headers={"Idempotency-Key": key})


async def authorise(provider: Client, token: str = "tok_visa", key: str = "auth") -> httpx.Response:
    return await ask(provider, "/authorisations", key, **MONEY, payment_token=token)


async def capture(provider: Client, key: str = "capture", **given: Any) -> httpx.Response:
    identity = (await provider.get("/payments/order-1")).json()["authorisation_id"]
    return await ask(provider, "/captures", key, **{**MONEY, "authorisation_id": identity, **given})


async def books(provider: Client) -> dict[str, Any]:
    document: dict[str, Any] = (await provider.get("/payments/order-1")).json()
    return document


@pytest.mark.parametrize(
    ("number", "valid"),
    [
        ("4242424242424242", True),
        ("5555555555554444", True),
        ("4242424242424241", False),
        ("42424242", False),
        ("4242-4242-4242-4242", False),
        ("٤242424242424242", False),
        ("4" * 20, False),
    ],
)
def test_luhn(number: str, valid: bool) -> None:  # noqa: FBT001 - a parameter of the table above
    assert valid_number(number) is valid


def test_every_fixed_token_behaves_as_its_card() -> None:
    for token_behaviour, last4 in FIXED_TOKENS.values():
        number = "4242424242424242" if last4 == "4242" else f"400000000000{last4}"
        assert valid_number(number)
        assert behaviour(number) is token_behaviour


async def test_a_card_becomes_a_token_that_pays(provider: Client) -> None:
    card = {"card_number": "4000 0000 0000 9995", "expiry": "12/40", "cvc": "123"}
    answer = await provider.post("/tokens", json=card)
    assert answer.status_code == 201
    assert answer.json()["last4"] == "9995"
    declined = await authorise(provider, answer.json()["token"])
    assert (declined.status_code, declined.json()["outcome"]) == (201, "declined")
    assert declined.json()["reason"] == "insufficient_funds"
    assert (await books(provider))["authorised"] == 0


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("card_number", "4242424242424241", "luhn"),
        ("expiry", "13/40", "string_pattern_mismatch"),
        ("expiry", "01/20", "expired"),
        ("cvc", "12x", "digits"),
        ("cvc", "1", "too_short"),
    ],
)
async def test_a_bad_card_names_field_and_rule_and_repeats_nothing(
    provider: Client, field: str, value: str, rule: str
) -> None:
    card = {"card_number": "4242424242424242", "expiry": "12/40", "cvc": "123", field: value}
    answer = await provider.post("/tokens", json=card)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    (error,) = answer.json()["errors"]
    assert (error["field"], error["rule"]) == (field, rule)
    assert "424242" not in answer.text


async def test_the_same_key_has_one_effect_and_one_answer(provider: Client) -> None:
    first = await authorise(provider)
    again = await authorise(provider)
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert len((await books(provider))["operations"]) == 1
    other = await ask(provider, "/authorisations", "auth", **{**MONEY, "amount": 1}, payment_token="tok_visa")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    missing = await provider.post("/authorisations", json={**MONEY, "payment_token": "tok_visa"})
    assert missing.json()["errors"][0]["field"] == "Idempotency-Key"


async def test_a_refusal_is_repeated_too(provider: Client) -> None:
    await authorise(provider)
    first = await authorise(provider, key="second")
    assert (first.status_code, first.json()["code"]) == (409, "already_authorised")
    assert (await authorise(provider, key="second")).content == first.content


async def test_capture_then_refund(provider: Client) -> None:
    await authorise(provider)
    taken = (await capture(provider)).json()
    assert taken["outcome"] == "approved"
    again = await capture(provider, "capture-2")
    assert (again.status_code, again.json()["reference"]) == (409, taken["id"])
    voided = await ask(provider, "/voids", "void", order_id="order-1")
    assert (voided.status_code, voided.json()["code"]) == (409, "already_captured")
    assert voided.json()["reference"] == taken["id"]
    half = {**MONEY, "capture_id": taken["id"], "amount": 3000}
    assert (await ask(provider, "/refunds", "r1", **half)).json()["outcome"] == "approved"
    too_much = await ask(provider, "/refunds", "r2", **half)
    assert (too_much.status_code, too_much.json()["errors"][0]["rule"]) == (422, "amount_exceeds_captured")
    assert (await books(provider))["refunded"] == 3000


async def test_a_void_forbids_the_authorisation_that_comes_after_it(provider: Client) -> None:
    assert (await ask(provider, "/voids", "void", order_id="order-1")).json()["outcome"] == "approved"
    late = (await authorise(provider)).json()
    assert (late["outcome"], late["reason"]) == ("declined", "voided")
    held = await books(provider)
    assert (held["authorised"], held["voided"]) == (0, True)


async def test_a_voided_authorisation_cannot_be_captured(provider: Client) -> None:
    await authorise(provider)
    assert (await ask(provider, "/voids", "void", order_id="order-1")).json()["outcome"] == "approved"
    assert (await capture(provider)).json()["reason"] == "voided"


async def test_a_card_may_fail_at_its_capture(provider: Client) -> None:
    await authorise(provider, "tok_capture_fails")
    assert (await capture(provider)).json()["reason"] == "capture_refused"
    assert (await books(provider))["captured"] == 0


@pytest.mark.parametrize(
    ("given", "status", "code", "rule"),
    [
        ({"authorisation_id": "auth_other"}, 404, "unknown_authorisation", None),
        ({"amount": 3271}, 422, "invalid", "amount_exceeds_authorised"),
        ({"currency": "EUR"}, 422, "invalid", "currency_mismatch"),
        ({"amount": 0}, 422, "invalid", "greater_than"),
        ({"amount": "3270"}, 422, "invalid", "int_type"),
        ({"colour": "red"}, 422, "invalid", "extra_forbidden"),
    ],
)
async def test_a_capture_keeps_to_its_authorisation(
    provider: Client, given: dict[str, Any], status: int, code: str, rule: str | None
) -> None:
    await authorise(provider)
    answer = await capture(provider, **given)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert rule is None or answer.json()["errors"][0]["rule"] == rule


async def test_unknown_references_are_refused(provider: Client) -> None:
    refund = await ask(provider, "/refunds", "r", **MONEY, capture_id="capture_none")
    assert (refund.status_code, refund.json()["code"]) == (404, "unknown_capture")
    void = await ask(provider, "/voids", "v", order_id="order-1", authorisation_id="auth_none")
    assert (void.status_code, void.json()["code"]) == (404, "unknown_authorisation")
    token = await authorise(provider, "tok_nobody_knows")
    assert token.json()["errors"][0]["field"] == "payment_token"
    nothing = await provider.get("/payments/order-9")
    assert (nothing.status_code, nothing.json()["code"]) == (404, "unknown_order")
    assert (await provider.get("/nowhere")).headers["content-type"] == "application/problem+json"


async def test_a_refund_keeps_its_currency(provider: Client) -> None:
    await authorise(provider)
    identity = (await capture(provider)).json()["id"]
    body = {**MONEY, "capture_id": identity, "currency": "EUR"}
    assert (await ask(provider, "/refunds", "r", **body)).json()["errors"][0]["field"] == "currency"


async def test_a_credit_gives_money_without_a_capture(provider: Client) -> None:
    given = await ask(provider, "/credits", "c1", **MONEY, payment_token="tok_visa")
    assert given.json()["outcome"] == "approved"
    refused = await ask(provider, "/credits", "c2", **MONEY, payment_token="tok_declined")
    assert refused.json()["reason"] == "card_declined"
    assert (await books(provider))["credited"] == 3270


async def test_a_bank_that_does_not_answer_leaves_no_trace(provider: Client) -> None:
    answer = await authorise(provider, "tok_processing_error")
    assert (answer.status_code, answer.json()["code"]) == (503, "issuer_unavailable")
    assert (await provider.get("/payments/order-1")).status_code == 404


async def test_a_slow_card_is_slow_once(provider: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    waits = list[float]()

    async def wait(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr("connectors.payments.simulator.desk.asyncio.sleep", wait)
    assert (await authorise(provider, "tok_slow")).json()["outcome"] == "approved"
    await authorise(provider, "tok_slow")
    assert waits == [5.0]


async def test_a_restart_forgets_nothing(memory: Path) -> None:
    async with client_of(memory) as before:
        card = {"card_number": "4242424242424242", "expiry": "12/40", "cvc": "123"}
        token = (await before.post("/tokens", json=card)).json()["token"]
        first = await authorise(before, token)
    async with client_of(memory) as after:
        assert (await authorise(after, token)).content == first.content
        assert (await books(after))["last4"] == "4242"
        assert (
            await ask(after, "/credits", "c", **{**MONEY, "order_id": "2"}, payment_token=token)
        ).is_success
    assert not contains(memory, b"424242424242")


async def test_an_outage_of_errors_spares_the_operators(provider: Client) -> None:
    changed = await provider.put("/modes", json={"outage": "errors", "latency_ms": 5})
    assert changed.json() == {"outage": "errors", "latency_ms": 5}
    answer = await authorise(provider)
    assert (answer.status_code, answer.json()["code"]) == (503, "outage")
    assert (await provider.get("/modes")).json()["outage"] == "errors"
    assert (await provider.get("/health/live")).is_success
    await provider.put("/modes", json={"latency_ms": 1})
    assert (await authorise(provider)).is_success
    wrong = await provider.put("/modes", json={"outage": "flood"})
    assert wrong.json()["errors"][0]["field"] == "outage"


async def test_the_interface_describes_itself(provider: Client) -> None:
    paths = (await provider.get("/openapi.json")).json()["paths"]
    assert {"/tokens", "/authorisations", "/captures", "/voids", "/refunds", "/credits", "/modes"} <= set(
        paths
    )


async def due(provider: Client) -> dict[str, Any]:
    """A capture of what is authorised."""
    await authorise(provider)
    return {**MONEY, "authorisation_id": (await books(provider))["authorisation_id"]}


async def test_a_capture_of_a_batch_has_the_effect_and_the_answer_that_it_has_alone(provider: Client) -> None:
    owed = await due(provider)
    asked = [
        {"idempotency_key": "taken", "capture": owed},
        {"idempotency_key": "again", "capture": owed},
        {"idempotency_key": "nobody's", "capture": {**owed, "order_id": "order-2"}},
        {"idempotency_key": "auth", "capture": owed},
    ]
    answered = await provider.post("/capture-batches", json={"captures": asked})
    assert answered.status_code == 200
    answers = answered.json()["answers"]
    assert [(one["status"], one["body"].get("code")) for one in answers] == [
        (201, None),
        (409, "already_captured"),
        (404, "unknown_authorisation"),
        (422, "idempotency_key_reused"),
    ]
    assert (await books(provider))["captured"] == MONEY["amount"]
    again = await capture(provider, key="taken")
    assert (again.status_code, again.json()) == (201, answers[0]["body"])
    assert (await provider.post("/capture-batches", json={"captures": asked})).json()["answers"] == answers


async def test_an_unsound_batch_is_refused_by_field_and_captures_nothing(provider: Client) -> None:
    owed = await due(provider)
    asked = [
        {"idempotency_key": "sound", "capture": owed},
        {"idempotency_key": "unsound", "capture": {**owed, "amount": 0}},
    ]
    answered = await provider.post("/capture-batches", json={"captures": asked})
    assert answered.status_code == 422
    assert [error["field"] for error in answered.json()["errors"]] == ["captures.1.capture.amount"]
    assert (await books(provider))["captured"] == 0


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"Authorization": "Bearer another-key-of-the-provider"},
        {"Authorization": KEY},
        {"Authorization": "Bearer "},
    ],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/tokens"),
        ("POST", "/authorisations"),
        ("POST", "/captures"),
        ("POST", "/capture-batches"),
        ("POST", "/refunds"),
        ("POST", "/credits"),
        ("PUT", "/modes"),
        ("GET", "/payments/order-1"),
    ],
)
async def test_whoever_does_not_hold_the_key_is_refused(
    provider: Client, method: str, path: str, given: dict[str, str]
) -> None:
    provider.headers.pop("Authorization")
    answer = await provider.request(method, path, json={}, headers=given)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert answer.json()["code"] == "unauthorised"
    assert KEY not in answer.text


async def test_whether_it_lives_anybody_may_ask(provider: Client) -> None:
    provider.headers.pop("Authorization")
    assert (await provider.get("/health/live")).status_code == 200


async def token(provider: Client, **given: str) -> str:
    card = {"card_number": "4242424242424242", "expiry": "12/50", "cvc": "123"}
    return str((await provider.post("/tokens", json={**card, **given})).json()["token"])


async def test_a_token_pays_for_the_order_that_it_was_made_for_and_no_other(provider: Client) -> None:
    bound = await token(provider, order_id="order-2")
    refused = await authorise(provider, bound)
    assert (refused.status_code, refused.json()["code"]) == (409, "token_used")
    paid = await ask(
        provider, "/authorisations", "k2", **{**MONEY, "order_id": "order-2"}, payment_token=bound
    )
    assert (paid.status_code, paid.json()["outcome"]) == (201, "approved")


async def test_a_token_without_an_order_is_the_first_ones_that_is_paid_with_it(memory: Path) -> None:
    async with client_of(memory) as provider:
        free = await token(provider)
        assert (await authorise(provider, free)).status_code == 201
    # It is remembered, and the order itself may try again.
    async with client_of(memory) as provider:
        other = {**MONEY, "order_id": "order-2", "payment_token": free}
        assert (await ask(provider, "/authorisations", "k2", **other)).json()["code"] == "token_used"
        again = await authorise(provider, free, key="k3")
        assert again.json()["code"] == "already_authorised"
        credited = await ask(provider, "/credits", "k4", **other)
        assert credited.json()["outcome"] == "approved", "its owner may always be given money"


async def test_a_memory_from_before_tokens_were_bound_is_taken_over(memory: Path) -> None:
    memory.parent.mkdir(parents=True)
    with closing(sqlite3.connect(memory)) as old:
        old.execute(
            "CREATE TABLE tokens (token TEXT PRIMARY KEY, behaviour TEXT NOT NULL, last4 TEXT NOT NULL)"
            " WITHOUT ROWID"
        )
        old.execute("INSERT INTO tokens VALUES ('tok_old', 'approved', '4242')")
        old.commit()
    async with client_of(memory) as provider:
        assert (await authorise(provider, "tok_old")).json()["outcome"] == "approved"
        other = {**MONEY, "order_id": "order-2", "payment_token": "tok_old"}
        assert (await ask(provider, "/authorisations", "k2", **other)).status_code == 409
