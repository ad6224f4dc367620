"""The gateway and the simulated provider as real processes, and the topics on both sides of the gateway."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.envelope import Message
from schemas.payment import PaymentInstruction, PaymentOperation, PaymentOutcome
from tests import kafka_elsewhere
from topics.command import command
from topics.connection import aiokafka_options
from topics.producer import MessageProducer
from topics.registry import PAYMENT_INSTRUCT, PAYMENT_OUTCOME
from topics.settings import Settings
from topics.wire import decode

DEADLINE_S = 60.0


class Running:
    """One process of the platform, started from its `run` function."""

    def __init__(self, function: str, settings: Settings, log: Path, **environment: str) -> None:
        self._log = log
        code = f"from connectors.payments import run; run.{function}(run.Settings())"
        self._command = [sys.executable, "-c", code]
        self._environment = {
            **os.environ,
            "ECOMMERCE_DATA_DIR": str(settings.data_dir),
            "ECOMMERCE_PORT_BASE": str(settings.port_base),
            "ECOMMERCE_CREDENTIALS": str(settings.credentials_file),
            **kafka_elsewhere.environment(settings),
            **environment,
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def kill(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def stop(self) -> int:
        assert self._process is not None
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()
        return self._process.returncode

    def log(self) -> str:
        return self._log.read_text(errors="replace")


class Provider(Running):
    """The simulated provider and its operators' interface."""

    def __init__(self, settings: Settings, log: Path) -> None:
        super().__init__("run_simulator", settings, log)
        self.url = settings.payment_provider_url
        self.client = httpx.Client(
            base_url=self.url, timeout=5, headers={"Authorization": f"Bearer {settings.provider_key}"}
        )

    def wait_live(self) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while True:
            try:
                self.client.get("/health/live").raise_for_status()
            except httpx.TransportError:
                assert time.monotonic() < deadline, self.log()
                time.sleep(0.05)
            else:
                return

    def modes(self, **modes: int | str) -> None:
        self.client.put("/modes", json=modes).raise_for_status()

    def operations(self, order_id: str) -> list[tuple[str, str]]:
        answer = self.client.get(f"/payments/{order_id}")
        if answer.status_code == 404:
            return []
        return [
            (done["operation"], done["outcome"]) for done in answer.raise_for_status().json()["operations"]
        ]


class Desk:
    """Gives instructions, as the payment flow does, and collects the outcomes that come after it opened."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.producer = MessageProducer(settings, "test")
        self.outcomes: dict[str, list[Message[PaymentOutcome]]] = defaultdict(list)
        self.arrivals: list[str] = []

    async def __aenter__(self) -> Self:
        await self.producer.start()
        self._consumer = AIOKafkaConsumer(**aiokafka_options(self._settings), enable_auto_commit=False)
        await self._consumer.start()
        places = [
            TopicPartition(PAYMENT_OUTCOME.name, partition) for partition in range(self._settings.partitions)
        ]
        self._consumer.assign(places)
        await self._consumer.seek_to_end(*places)
        for place in places:
            await self._consumer.position(place)
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._reading.cancel()
        await asyncio.wait({self._reading})
        await self._consumer.stop()
        await self.producer.stop()

    async def _read(self) -> None:
        async for record in self._consumer:
            outcome = decode(PAYMENT_OUTCOME, record.value)
            self.outcomes[outcome.aggregate_id].append(outcome)
            self.arrivals.append(outcome.aggregate_id)

    async def instruct(
        self,
        order_id: str,
        token: str = "tok_visa",
        *,
        operation: PaymentOperation = PaymentOperation.AUTHORISE,
        attempt: int = 1,
        reference: str | None = None,
    ) -> Message[PaymentInstruction]:
        instruction = PaymentInstruction(
            operation=operation,
            idempotency_key=f"{operation}-{order_id}",
            amount=3270,
            currency="GBP",
            payment_token=token,
            attempt=attempt,
            provider_reference=reference,
        )
        message = command(PAYMENT_INSTRUCT, order_id, instruction, user_id="user-1")
        await self.producer.send_and_wait(PAYMENT_INSTRUCT, order_id, message, {"traceparent": "00-1-2-01"})
        return message

    async def outcome(self, order_id: str, number: int = 1) -> Message[PaymentOutcome]:
        """Return an order's outcome by its number, once it has come."""
        await self.until(lambda: len(self.outcomes[order_id]) >= number)
        return self.outcomes[order_id][number - 1]

    async def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while not condition():
            if self._reading.done():
                self._reading.result()
            assert time.monotonic() < deadline, f"after {DEADLINE_S} s: {dict(self.outcomes)}"
            await asyncio.sleep(0.02)
