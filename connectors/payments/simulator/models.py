"""The provider's requests and answers. Amounts are minor units of `currency` (ISO 4217)."""

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

LONGEST_KEY = 200
"""Characters of an idempotency key."""

Identity = Annotated[str, Field(min_length=1, max_length=100)]
Amount = Annotated[int, Field(strict=True, gt=0, le=10**12)]
Currency = Annotated[str, Field(pattern="^[A-Z]{3}$", examples=["GBP"])]


class Request(BaseModel):
    """A request's body; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TokenRequest(Request):
    """A card, to be exchanged for a token. Spaces in the number are ignored.

    With `order_id` the token pays for that order alone; without, for the first order that is paid with it.
    """

    card_number: SecretStr = Field(max_length=32, examples=["4242 4242 4242 4242"])
    expiry: str = Field(pattern=r"^(0[1-9]|1[0-2])/\d{2}$", examples=["12/30"])
    cvc: SecretStr = Field(min_length=3, max_length=4, examples=["123"])
    order_id: Identity | None = None


class Token(BaseModel):
    """What stands for the card from now on."""

    token: str
    last4: str


class AuthorisationRequest(Request):
    """Hold an amount for an order; one authorisation an order."""

    order_id: Identity
    amount: Amount
    currency: Currency
    payment_token: Identity = Field(examples=["tok_visa"])


class CaptureRequest(Request):
    """Take the authorised amount."""

    order_id: Identity
    amount: Amount
    currency: Currency
    authorisation_id: Identity


class BatchedCapture(Request):
    """One capture of many, with its own key."""

    idempotency_key: Annotated[str, Field(min_length=1, max_length=LONGEST_KEY)]
    capture: CaptureRequest


class CaptureBatch(Request):
    """Captures of many orders, each with the effect and the answer that it has alone."""

    captures: Annotated[list[BatchedCapture], Field(min_length=1, max_length=1_000)]


class VoidRequest(Request):
    """Let go of an order's authorisation, also of one that this provider has not seen (yet)."""

    order_id: Identity
    authorisation_id: Identity | None = None


class RefundRequest(Request):
    """Give captured money back."""

    order_id: Identity
    amount: Amount
    currency: Currency
    capture_id: Identity


class CreditRequest(Request):
    """Give money without an earlier capture (a return)."""

    order_id: Identity
    amount: Amount
    currency: Currency
    payment_token: Identity


class Answer(BaseModel):
    """What became of an operation."""

    id: str
    order_id: str
    operation: str
    outcome: Literal["approved", "declined"]
    reason: str | None = None


class BatchedAnswer(BaseModel):
    """What one capture of a batch would have been answered alone: an answer, or a problem document."""

    status: int
    body: dict[str, Any]


class BatchAnswer(BaseModel):
    """An answer to each capture, in the batch's order."""

    answers: list[BatchedAnswer]


class OperationView(BaseModel):
    """One operation that had an effect or was declined; `at` is ms since the epoch."""

    id: str
    operation: str
    amount: int
    outcome: str
    reason: str | None
    at: int


class PaymentView(BaseModel):
    """All that the provider holds about an order."""

    order_id: str
    currency: str | None
    last4: str | None
    authorised: int
    captured: int
    refunded: int
    credited: int
    voided: bool
    authorisation_id: str | None
    capture_id: str | None
    operations: list[OperationView]


class Outage(StrEnum):
    """How the provider is down: it answers 503, never answers, or drops every connection."""

    NONE = "none"
    ERRORS = "errors"
    HANG = "hang"
    REFUSE = "refuse"


class Modes(Request):
    """How the provider behaves, until it is told otherwise or restarted."""

    latency_ms: int = Field(default=0, ge=0, le=60_000, description="Added to every operation.")
    outage: Outage = Outage.NONE
