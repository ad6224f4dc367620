"""Between the platform's instructions and the provider's HTTP: pure, both ways."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import msgspec

from connectors.payments.provider import Answer
from schemas.payment import PaymentInstruction, PaymentOperation, ProviderOutcome

_PATHS = {
    PaymentOperation.AUTHORISE: "/authorisations",
    PaymentOperation.CAPTURE: "/captures",
    PaymentOperation.VOID: "/voids",
    PaymentOperation.REFUND: "/refunds",
    PaymentOperation.CREDIT: "/credits",
}

CAPTURE_BATCHES = "/capture-batches"

ISSUER_UNAVAILABLE = "issuer_unavailable"
"""The provider is well, but this card's bank does not answer."""

_NO_VERDICT = frozenset(
    {
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.TOO_MANY_REQUESTS,
    }
)

_UNREADABLE = Answer(ProviderOutcome.UNAVAILABLE, reason="unreadable_answer")


class _Body(msgspec.Struct):
    """The fields of an answer, or of a problem document, that say what became of the instruction."""

    id: str | None = None
    outcome: str | None = None
    reason: str | None = None
    code: str | None = None
    reference: str | None = None


class _BatchedAnswer(msgspec.Struct):
    status: int
    body: _Body


class _BatchAnswer(msgspec.Struct):
    answers: list[_BatchedAnswer]


def request_of(order_id: str, instruction: PaymentInstruction) -> tuple[str, dict[str, Any]]:
    """Return the path and the JSON body of an instruction."""
    money = {"amount": instruction.amount, "currency": instruction.currency}
    body: dict[str, Any] = {"order_id": order_id}
    match instruction.operation:
        case PaymentOperation.AUTHORISE | PaymentOperation.CREDIT:
            body |= {**money, "payment_token": instruction.payment_token}
        case PaymentOperation.CAPTURE:
            body |= {**money, "authorisation_id": instruction.provider_reference}
        case PaymentOperation.VOID:
            body |= {"authorisation_id": instruction.provider_reference}
        case PaymentOperation.REFUND:
            body |= {**money, "capture_id": instruction.provider_reference}
    return _PATHS[instruction.operation], body


def batch_of(captures: Sequence[tuple[str, PaymentInstruction]]) -> dict[str, Any]:
    """Return the JSON body of many captures, each with its order's id."""
    return {
        "captures": [
            {"idempotency_key": capture.idempotency_key, "capture": request_of(order_id, capture)[1]}
            for order_id, capture in captures
        ]
    }


def answers_of(status: int, content: bytes, count: int) -> list[Answer] | None:
    """Return what an HTTP answer says to each of `count` captures; None where it refuses the batch."""
    if status >= HTTPStatus.BAD_REQUEST:
        answer = answer_of(status, content)
        return [answer] * count if answer.outcome is ProviderOutcome.UNAVAILABLE else None
    try:
        answers = msgspec.json.decode(content, type=_BatchAnswer).answers
    except msgspec.DecodeError:
        answers = []
    if len(answers) != count:
        return [_UNREADABLE] * count
    return [_said(answer.status, answer.body) for answer in answers]


def answer_of(status: int, content: bytes) -> Answer:
    """Return what an HTTP answer says.

    A refusal of the request itself (4xx) is the provider's verdict: asking again would not change it. What
    says nothing about the instruction (5xx, throttling, our own credentials) leaves its effect unknown.
    """
    try:
        body = msgspec.json.decode(content, type=_Body)
    except msgspec.DecodeError:
        body = _Body()
    return _said(status, body)


def _said(status: int, body: _Body) -> Answer:
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _NO_VERDICT:
        return Answer(ProviderOutcome.UNAVAILABLE, reason=body.code or f"http_{status}")
    if status >= HTTPStatus.BAD_REQUEST:
        return Answer(ProviderOutcome.DECLINED, body.reference, body.code or f"http_{status}")
    if body.outcome == ProviderOutcome.APPROVED and body.id is not None:
        return Answer(ProviderOutcome.APPROVED, body.id)
    if body.outcome == ProviderOutcome.DECLINED:
        return Answer(ProviderOutcome.DECLINED, reason=body.reason or "declined")
    return _UNREADABLE
