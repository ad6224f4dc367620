"""Instructions as requests, answers as outcomes."""

import json

import pytest

from connectors.payments.provider import Answer
from connectors.payments.translation import answer_of, answers_of, batch_of, request_of
from schemas.payment import PaymentInstruction, PaymentOperation, ProviderOutcome

APPROVED, DECLINED, UNAVAILABLE = (
    ProviderOutcome.APPROVED,
    ProviderOutcome.DECLINED,
    ProviderOutcome.UNAVAILABLE,
)
MONEY = {"order_id": "order-1", "amount": 3270, "currency": "GBP"}


@pytest.mark.parametrize(
    ("operation", "path", "body"),
    [
        ("authorise", "/authorisations", {**MONEY, "payment_token": "tok_visa"}),
        ("capture", "/captures", {**MONEY, "authorisation_id": "ref-1"}),
        ("void", "/voids", {"order_id": "order-1", "authorisation_id": "ref-1"}),
        ("refund", "/refunds", {**MONEY, "capture_id": "ref-1"}),
        ("credit", "/credits", {**MONEY, "payment_token": "tok_visa"}),
    ],
)
def test_every_operation_has_its_request(operation: str, path: str, body: dict[str, object]) -> None:
    instruction = PaymentInstruction(
        PaymentOperation(operation), "key-1", 3270, "GBP", "tok_visa", 1, "ref-1"
    )
    assert request_of("order-1", instruction) == (path, body)


@pytest.mark.parametrize(
    ("status", "content", "answer"),
    [
        (201, {"id": "auth_1", "outcome": "approved"}, Answer(APPROVED, "auth_1")),
        (201, {"id": "auth_1", "outcome": "declined", "reason": "x"}, Answer(DECLINED, reason="x")),
        (201, {"outcome": "declined"}, Answer(DECLINED, reason="declined")),
        (201, {"outcome": "approved"}, Answer(UNAVAILABLE, reason="unreadable_answer")),
        (200, {"outcome": "perhaps"}, Answer(UNAVAILABLE, reason="unreadable_answer")),
        (409, {"code": "already_captured", "reference": "c"}, Answer(DECLINED, "c", "already_captured")),
        (404, {}, Answer(DECLINED, reason="http_404")),
        (401, {}, Answer(UNAVAILABLE, reason="http_401")),
        (429, {"code": "slow_down"}, Answer(UNAVAILABLE, reason="slow_down")),
        (503, {"code": "outage"}, Answer(UNAVAILABLE, reason="outage")),
    ],
)
def test_an_answer_is_a_verdict_or_leaves_the_effect_unknown(
    status: int, content: dict[str, object], answer: Answer
) -> None:
    assert answer_of(status, json.dumps(content).encode()) == answer


@pytest.mark.parametrize(("status", "reason"), [(201, "unreadable_answer"), (502, "http_502")])
def test_an_answer_that_is_no_json_says_nothing(status: int, reason: str) -> None:
    assert answer_of(status, b"<html>") == Answer(UNAVAILABLE, reason=reason)


def batched(*answers: tuple[int, dict[str, object]]) -> bytes:
    return json.dumps({"answers": [{"status": status, "body": body} for status, body in answers]}).encode()


def test_many_captures_are_one_body_in_which_each_has_its_key() -> None:
    capture = PaymentInstruction(PaymentOperation.CAPTURE, "key-1", 3270, "GBP", "tok_visa", 1, "auth_1")
    assert batch_of([("order-1", capture)]) == {
        "captures": [{"idempotency_key": "key-1", "capture": {**MONEY, "authorisation_id": "auth_1"}}]
    }


def test_each_capture_of_a_batch_has_its_own_answer() -> None:
    content = batched(
        (201, {"id": "capture_1", "outcome": "approved"}),
        (409, {"code": "already_captured", "reference": "capture_0"}),
        (503, {"code": "outage"}),
    )
    assert answers_of(200, content, 3) == [
        Answer(APPROVED, "capture_1"),
        Answer(DECLINED, "capture_0", "already_captured"),
        Answer(UNAVAILABLE, reason="outage"),
    ]


def test_a_batch_that_is_refused_as_such_says_nothing_of_its_captures() -> None:
    assert answers_of(404, b"{}", 2) is None
    assert answers_of(429, b'{"code": "slow_down"}', 2) == [Answer(UNAVAILABLE, reason="slow_down")] * 2


@pytest.mark.parametrize("content", [b"<html>", b"{}", batched((201, {"id": "x", "outcome": "approved"}))])
def test_a_batch_whose_answers_do_not_match_leaves_every_effect_unknown(content: bytes) -> None:
    assert answers_of(200, content, 2) == [Answer(UNAVAILABLE, reason="unreadable_answer")] * 2
