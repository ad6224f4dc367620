"""Serving operations: each idempotency key has one effect and one answer for ever."""

import asyncio
import hashlib
from collections.abc import Callable
from typing import TypeVar

import msgspec
from fastapi import Response

from connectors.payments.simulator import operations
from connectors.payments.simulator.cards import SLOW_SECONDS, Behaviour
from connectors.payments.simulator.ledger import Ledger, StoredAnswer
from connectors.payments.simulator.models import Answer, CaptureBatch, Request
from connectors.payments.simulator.problems import MEDIA_TYPE, ProviderProblemError, problem

R = TypeVar("R", bound=Request)

CREATED = 201


class Desk:
    """Serves operations, each key once."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def serve(
        self, key: str, asked: R, operate: Callable[[Ledger, R], Answer], token: str | None = None
    ) -> Response:
        """Answer one operation; `token` is the card that it charges or credits, if any."""
        if token is not None and self._ledger.answer(key) is None:
            card = operations.card_of(self._ledger, token)
            if card.behaviour is Behaviour.PROCESSING_ERROR:
                return problem(503, "issuer_unavailable", "the card's bank does not answer")
            if card.behaviour is Behaviour.SLOW:
                await asyncio.sleep(SLOW_SECONDS)
        with self._ledger.transaction():
            answer = self._answered(key, asked, operate)
        media_type = "application/json" if answer.status == CREATED else MEDIA_TYPE
        return Response(answer.body, answer.status, media_type=media_type)

    def serve_captures(self, batch: CaptureBatch) -> Response:
        """Answer many captures in one transaction, each as if it had come alone."""
        with self._ledger.transaction():
            answers = [
                self._answered(one.idempotency_key, one.capture, operations.capture) for one in batch.captures
            ]
        said = [{"status": answer.status, "body": msgspec.Raw(answer.body)} for answer in answers]
        return Response(msgspec.json.encode({"answers": said}), media_type="application/json")

    def _answered(self, key: str, asked: R, operate: Callable[[Ledger, R], Answer]) -> StoredAnswer:
        fingerprint = hashlib.sha256(f"{type(asked).__name__} {asked.model_dump_json()}".encode()).hexdigest()
        known = self._ledger.answer(key)
        if known is None:
            known = self._operated(asked, operate, fingerprint)
            self._ledger.keep_answer(key, known)
        elif known.fingerprint != fingerprint:
            detail = "the Idempotency-Key was used for another request"
            reused = problem(422, "idempotency_key_reused", detail)
            return StoredAnswer(fingerprint, reused.status_code, bytes(reused.body))
        return known

    def _operated(self, asked: R, operate: Callable[[Ledger, R], Answer], fingerprint: str) -> StoredAnswer:
        try:
            answer = operate(self._ledger, asked)
        except ProviderProblemError as refused:
            document = problem(refused.status, refused.code, refused.detail, **refused.members)
            return StoredAnswer(fingerprint, refused.status, bytes(document.body))
        return StoredAnswer(fingerprint, CREATED, answer.model_dump_json().encode())
