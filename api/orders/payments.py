"""Turning a card into the payment provider's token, before anything enters a topic."""

from typing import Protocol

import httpx
import msgspec
import structlog

from api import wording
from api.orders.models import Card
from api.problems import FieldError, Problem, invalid, unavailable

_TIMEOUT_SECONDS = 5.0
_log = structlog.get_logger()


class _Fault(msgspec.Struct):
    field: str
    rule: str
    message: str


class _Faults(msgspec.Struct):
    errors: list[_Fault] = []


class Tokeniser(Protocol):
    """Exchanges cards for tokens."""

    async def token(self, card: Card, order_id: str) -> str:
        """Return a token of the card that pays for this order alone.

        Raises Problems: 422 where the card is refused, 503 without answer.
        """
        ...


class ProviderTokeniser:
    """The payment provider's `POST /tokens`."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    @staticmethod
    def client(url: str, key: str | None) -> httpx.AsyncClient:
        """Return an HTTP client for the provider at `url`, which asks for `key`."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return httpx.AsyncClient(base_url=url, headers=headers, timeout=_TIMEOUT_SECONDS)

    async def token(self, card: Card, order_id: str) -> str:
        """Return a token of the card that pays for this order alone.

        Raises Problems: 422 where the card is refused, 503 without answer.
        """
        body = {
            "card_number": card.card_number,
            "expiry": card.expiry,
            "cvc": card.cvc,
            "order_id": order_id,
        }
        try:
            answer = await self._client.post("/tokens", json=body)
        except httpx.HTTPError as error:
            # The error's text is left out: it may quote the request.
            _log.warning("payment_provider_down", error=type(error).__name__)
            raise unavailable("the payment provider") from None
        if answer.is_success:
            return str(answer.json()["token"])
        if answer.is_client_error and answer.status_code != httpx.codes.TOO_MANY_REQUESTS:
            raise _refused(answer)
        raise unavailable("the payment provider")


def _refused(answer: httpx.Response) -> Problem:
    """Return the problem of a refused card; the provider says which field, and never repeats what it held."""
    try:
        faults = msgspec.json.decode(answer.content, type=_Faults).errors
    except msgspec.DecodeError:
        faults = []
    errors = [
        FieldError(
            field=f"payment.{fault.field}", rule=fault.rule, message=wording.said(fault.rule, fault.message)
        )
        for fault in faults
        if fault.field in Card.model_fields
    ]
    if not errors:
        return invalid("payment", "card_refused", "the payment provider does not accept this card")
    detail = "; ".join(f"{error.field}: {error.message}" for error in errors)
    return Problem(422, detail, kind="validation", errors=errors)
