"""The payment provider in memory: the real rules of the simulated provider, its ledger in dictionaries."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from connectors.payments.provider import Answer
from connectors.payments.simulator import operations
from connectors.payments.simulator.cards import FIXED_TOKENS
from connectors.payments.simulator.desk import Desk
from connectors.payments.simulator.ledger import Card, Held, Ledger, Operation, StoredAnswer
from connectors.payments.simulator.models import (
    AuthorisationRequest,
    CaptureRequest,
    CreditRequest,
    RefundRequest,
    Request,
    VoidRequest,
)
from connectors.payments.simulator.problems import ProviderProblemError, problem
from connectors.payments.translation import answer_of, request_of
from schemas.payment import PaymentInstruction, PaymentOperation
from tests.simulation.effects import finished

_DESK: dict[PaymentOperation, tuple[type[Request], Callable[..., Any]]] = {
    PaymentOperation.AUTHORISE: (AuthorisationRequest, operations.authorise),
    PaymentOperation.CAPTURE: (CaptureRequest, operations.capture),
    PaymentOperation.VOID: (VoidRequest, operations.void),
    PaymentOperation.REFUND: (RefundRequest, operations.refund),
    PaymentOperation.CREDIT: (CreditRequest, operations.credit),
}


class MemoryLedger(Ledger):
    """The provider's memory."""

    def __init__(self) -> None:
        self.payments: dict[str, Held] = {}
        self.done: dict[str, list[Operation]] = {}
        self.answers: dict[str, StoredAnswer] = {}

    def close(self) -> None:
        """There is no file."""

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Nothing comes between: a simulated step is one change."""
        yield

    def bind(self, token: str, order_id: str) -> None:
        """The tokens here are the fixed ones, which stay everybody's."""

    def card(self, token: str) -> Card | None:
        """Return what a token stands for."""
        return Card(*FIXED_TOKENS[token]) if token in FIXED_TOKENS else None

    def payment(self, order_id: str) -> Held | None:
        """Return an order's money."""
        return self.payments.get(order_id)

    def keep(self, order_id: str, held: Held) -> None:
        """Keep an order's money."""
        self.payments[order_id] = held

    def record(self, order_id: str, done: Operation) -> None:
        """Append to the list of operations."""
        self.done.setdefault(order_id, []).append(done)

    def operations(self, order_id: str) -> list[Operation]:
        """Return an order's operations, oldest first."""
        return self.done.get(order_id, [])

    def answer(self, key: str) -> StoredAnswer | None:
        """Return the answer that an idempotency key had."""
        return self.answers.get(key)

    def keep_answer(self, key: str, answer: StoredAnswer) -> None:
        """Keep the answer of an idempotency key."""
        self.answers[key] = answer


class Provider:
    """The provider as its network end: one request in, one HTTP answer out, without a network."""

    def __init__(self) -> None:
        self.ledger = MemoryLedger()
        self._desk = Desk(self.ledger)

    def serve(self, order_id: str, instruction: PaymentInstruction) -> Answer:
        """Carry the request out, as the provider would, and read its answer as the gateway would."""
        _, body = request_of(order_id, instruction)
        model, operate = _DESK[instruction.operation]
        asked = model(**body)
        token = body.get("payment_token")
        try:
            response = finished(self._desk.serve(instruction.idempotency_key, asked, operate, token))
        except ProviderProblemError as refused:
            document = problem(refused.status, refused.code, refused.detail, **refused.members)
            return answer_of(refused.status, bytes(document.body))
        return answer_of(response.status_code, bytes(response.body))
