"""Between the platform's instructions and the provider's HTTP: pure, both ways."""

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


class _Body(msgspec.Struct):
    """The fields of an answer, or of a problem document, that say what became of the instruction."""

    id: str | None = None
    outcome: str | None = None
    reason: str | None = None
    code: str | None = None
    reference: str | None = None


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


def answer_of(status: int, content: bytes) -> Answer:
    """Return what an HTTP answer says.

    A refusal of the request itself (4xx) is the provider's verdict: asking again would not change it. What
    says nothing about the instruction (5xx, throttling, our own credentials) leaves its effect unknown.
    """
    try:
        body = msgspec.json.decode(content, type=_Body)
    except msgspec.DecodeError:
        body = _Body()
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _NO_VERDICT:
        return Answer(ProviderOutcome.UNAVAILABLE, reason=body.code or f"http_{status}")
    if status >= HTTPStatus.BAD_REQUEST:
        return Answer(ProviderOutcome.DECLINED, body.reference, body.code or f"http_{status}")
    if body.outcome == ProviderOutcome.APPROVED and body.id is not None:
        return Answer(ProviderOutcome.APPROVED, body.id)
    if body.outcome == ProviderOutcome.DECLINED:
        return Answer(ProviderOutcome.DECLINED, reason=body.reason or "declined")
    return Answer(ProviderOutcome.UNAVAILABLE, reason="unreadable_answer")
