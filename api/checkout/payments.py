"""Turning a card into the payment provider's token, before anything enters a topic."""

from http import HTTPStatus
from typing import Protocol

import aiohttp
import msgspec
import structlog

from api import wording
from api.checkout.models import Card
from api.problems import FieldError, Problem, invalid, unavailable

_TIMEOUT_SECONDS = 5.0
# Shorter than servers keep an idle connection, so that a request does not meet one that closes.
_KEPT_ALIVE_SECONDS = 30
_CONNECTIONS = 100
_JSON = {"Content-Type": "application/json"}
_log = structlog.get_logger()


class _Fault(msgspec.Struct):
    field: str
    rule: str
    message: str


class _Faults(msgspec.Struct):
    errors: list[_Fault] = []


class _Token(msgspec.Struct):
    token: str


_faults = msgspec.json.Decoder(_Faults)
_token = msgspec.json.Decoder(_Token)


class Tokeniser(Protocol):
    """Exchanges cards for tokens."""

    async def token(self, card: Card, order_id: str) -> str:
        """Return a token of the card that pays for this order alone.

        Raises Problems: 422 where the card is refused, 503 without answer.
        """
        ...


class ProviderTokeniser:
    """The payment provider's `POST /tokens`."""

    def __init__(self, client: aiohttp.ClientSession) -> None:
        self._client = client

    @staticmethod
    def client(url: str, key: str | None, seconds: float = _TIMEOUT_SECONDS) -> aiohttp.ClientSession:
        """Return an HTTP client for the provider at `url`, which asks for `key` and answers in `seconds`.

        aiohttp, as its request costs a fifth of httpx's on the CPU, and each checkout has one.
        """
        return aiohttp.ClientSession(
            # A path of the provider's own address stays in front of what is asked for.
            url.rstrip("/") + "/",
            connector=aiohttp.TCPConnector(limit=_CONNECTIONS, keepalive_timeout=_KEPT_ALIVE_SECONDS),
            timeout=aiohttp.ClientTimeout(total=seconds),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={**_JSON, **({"Authorization": f"Bearer {key}"} if key else {})},
        )

    async def token(self, card: Card, order_id: str) -> str:
        """Return a token of the card that pays for this order alone.

        Raises Problems: 422 where the card is refused, 503 without answer.
        """
        body = msgspec.json.encode(
            {
                "card_number": card.card_number,
                "expiry": card.expiry,
                "cvc": card.cvc,
                "order_id": order_id,
            }
        )
        try:
            status, answer = await self._asked(body)
        except (aiohttp.ClientError, TimeoutError) as error:
            # The error's text is left out: it may quote the request.
            _log.warning("payment_provider_down", error=type(error).__name__)
            raise unavailable("the payment provider") from None
        if status < HTTPStatus.MULTIPLE_CHOICES:
            return _token_of(answer)
        client_error = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
        if client_error and status != HTTPStatus.TOO_MANY_REQUESTS:
            raise _refused(answer)
        raise unavailable("the payment provider")

    async def _asked(self, body: bytes) -> tuple[int, bytes]:
        try:
            return await self._post(body)
        except aiohttp.ServerDisconnectedError:
            # A kept connection that the provider closed just then. Nobody has that token, if there is one.
            return await self._post(body)

    async def _post(self, body: bytes) -> tuple[int, bytes]:
        async with self._client.post("tokens", data=body, allow_redirects=False) as answer:
            return answer.status, await answer.read()


def _token_of(answer: bytes) -> str:
    try:
        return _token.decode(answer).token
    except msgspec.DecodeError:
        _log.warning("payment_provider_unreadable")
        raise unavailable("the payment provider") from None


def _refused(answer: bytes) -> Problem:
    """Return the problem of a refused card; the provider says which field, and never repeats what it held."""
    try:
        faults = _faults.decode(answer).errors
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
