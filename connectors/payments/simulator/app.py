"""The provider's HTTP interface.

Every operation is a POST with an `Idempotency-Key`: the same key has one effect and one answer for ever, and
with another body it is refused (422). A decline is an answer like any other (201); errors are problem
documents. Whoever asks shows the provider's key.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import structlog
from fastapi import APIRouter, FastAPI, Header, Response

from connectors.payments.simulator import operations
from connectors.payments.simulator.cards import behaviour, valid_number
from connectors.payments.simulator.desk import CREATED, Desk
from connectors.payments.simulator.disruption import CurrentModes, Disruption
from connectors.payments.simulator.door import Door
from connectors.payments.simulator.lean_route import KEY_HEADER, LeanRoute, Shortcut
from connectors.payments.simulator.ledger import Card, Held, Ledger
from connectors.payments.simulator.models import (
    LONGEST_KEY,
    Answer,
    AuthorisationRequest,
    BatchAnswer,
    CaptureBatch,
    CaptureRequest,
    CreditRequest,
    Modes,
    OperationView,
    PaymentView,
    RefundRequest,
    Token,
    TokenRequest,
    VoidRequest,
)
from connectors.payments.simulator.problems import ProviderProblemError, install, invalid

IdempotencyKey = Annotated[str, Header(alias=KEY_HEADER, min_length=1, max_length=LONGEST_KEY)]

_log = structlog.get_logger()


def create_app(path: Path, key: str) -> FastAPI:
    """Return the provider, whose memory is the SQLite file at `path`, for those who hold `key`."""
    modes = CurrentModes()
    ledger = Ledger(path)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        ledger.close()

    app = FastAPI(
        title="Simulated payment provider",
        version="1",
        description="Cards and fixed tokens decide what happens; see the table of `cards.py`.",
        lifespan=lifespan,
    )
    install(app)
    desk = Desk(ledger)
    alone = _operations(desk)
    app.add_middleware(Shortcut, router=alone)
    app.add_middleware(Disruption, modes=modes)
    app.add_middleware(Door, key=key)
    app.include_router(_tokens(ledger), tags=["tokens"])
    app.include_router(alone, tags=["operations"])
    app.include_router(_batches(desk), tags=["operations"])
    app.include_router(_operators(ledger, modes), tags=["operators"])
    return app


def _tokens(ledger: Ledger) -> APIRouter:
    router = APIRouter()

    @router.post("/tokens", status_code=CREATED)
    async def tokens(asked: TokenRequest) -> Token:
        """Exchange a card for a token; the card is forgotten."""
        number = asked.card_number.get_secret_value().replace(" ", "")
        if not valid_number(number):
            raise invalid("card_number", "luhn", "not the number of a card")
        if not asked.cvc.get_secret_value().isdigit():
            raise invalid("cvc", "digits", "3 or 4 digits")
        if _expired(asked.expiry):
            raise invalid("expiry", "expired", "the card has expired")
        last4 = number[-4:]
        return Token(token=ledger.add_card(Card(behaviour(number), last4, asked.order_id)), last4=last4)

    return router


def _operations(desk: Desk) -> APIRouter:
    router = APIRouter(route_class=LeanRoute)

    @router.post("/authorisations", status_code=CREATED, response_model=Answer)
    async def authorisations(asked: AuthorisationRequest, key: IdempotencyKey) -> Response:
        """Hold an amount."""
        return await desk.serve(key, asked, operations.authorise, asked.payment_token)

    @router.post("/captures", status_code=CREATED, response_model=Answer)
    async def captures(asked: CaptureRequest, key: IdempotencyKey) -> Response:
        """Take an authorised amount."""
        return await desk.serve(key, asked, operations.capture)

    @router.post("/voids", status_code=CREATED, response_model=Answer)
    async def voids(asked: VoidRequest, key: IdempotencyKey) -> Response:
        """Let an authorisation go, also one that has not arrived."""
        return await desk.serve(key, asked, operations.void)

    @router.post("/refunds", status_code=CREATED, response_model=Answer)
    async def refunds(asked: RefundRequest, key: IdempotencyKey) -> Response:
        """Give captured money back."""
        return await desk.serve(key, asked, operations.refund)

    @router.post("/credits", status_code=CREATED, response_model=Answer)
    async def give(asked: CreditRequest, key: IdempotencyKey) -> Response:
        """Give money without an earlier capture."""
        return await desk.serve(key, asked, operations.credit, asked.payment_token)

    return router


def _batches(desk: Desk) -> APIRouter:
    router = APIRouter()

    @router.post("/capture-batches", response_model=BatchAnswer)
    async def captures(asked: CaptureBatch) -> Response:
        """Take many authorised amounts."""
        return desk.serve_captures(asked)

    return router


def _operators(ledger: Ledger, modes: CurrentModes) -> APIRouter:
    router = APIRouter()

    @router.get("/payments/{order_id}")
    async def payment(order_id: str) -> PaymentView:
        """Return an order's money and its operations."""
        held = ledger.payment(order_id)
        if held is None:
            raise ProviderProblemError(404, "unknown_order", "nothing was asked for this order")
        return _view(order_id, held, ledger)

    @router.get("/modes")
    async def current() -> Modes:
        """Return the latency and the outage in force."""
        return modes.now

    @router.put("/modes")
    async def change(wanted: Modes) -> Modes:
        """Put another latency or outage in force."""
        modes.change(wanted)
        _log.info("modes changed", latency_ms=wanted.latency_ms, outage=wanted.outage)
        return wanted

    @router.get("/health/live")
    async def live() -> dict[str, str]:
        """Say that the process serves."""
        return {"status": "live"}

    return router


def _expired(expiry: str) -> bool:
    month, year = (int(part) for part in expiry.split("/"))
    now = datetime.now(UTC)
    return (2000 + year, month) < (now.year, now.month)


def _view(order_id: str, held: Held, ledger: Ledger) -> PaymentView:
    fields = msgspec.structs.asdict(held)
    del fields["behaviour"]
    done = [OperationView(**msgspec.structs.asdict(operation)) for operation in ledger.operations(order_id)]
    return PaymentView(order_id=order_id, operations=done, **fields)
