"""The health of all running services: one ping into a topic, and the pongs that come back."""

import asyncio
import time
from typing import Any

from aiokafka.errors import KafkaError
from pydantic import BaseModel, Field

from api import context
from api.commands import Producer
from api.problems import unavailable
from api.tail import Dispatcher
from schemas.envelope import fresh_id
from schemas.service import ServicePing, ServicePong
from topics.command import command
from topics.registry import SERVICE_PING, SERVICE_PONG


class Instance(BaseModel):
    """One running process of a service."""

    instance: str
    healthy: bool
    started_at: int = Field(description="Milliseconds since the epoch, UTC.")
    answered_ms: float = Field(description="Time until its answer was heard.")
    details: dict[str, str]


class ServicesHealth(BaseModel):
    """Every service that answered, by name. One that does not run cannot say so: it is named as missing."""

    healthy: bool
    services: dict[str, list[Instance]]
    missing: list[str] = Field(description="Services that belong to the platform and did not answer.")
    waited_ms: float


# Whoever asks within it of a ping is told what that ping brought: anyone may ask, and each ping is written.
_FRESH_SECONDS = 1.0


class ServicesHealthCheck:
    """Pings the services and gathers their answers."""

    def __init__(
        self, producer: Producer, tail: Dispatcher, seconds: float, expected: frozenset[str]
    ) -> None:
        self._producer = producer
        self._tail = tail
        self._seconds = seconds
        self._expected = expected
        self._asked: asyncio.Task[ServicesHealth] | None = None
        self._ended_at = 0.0

    async def ask(self) -> ServicesHealth:
        """Return who answered within the time that services get for it; all who ask in a second share a ping.

        `healthy` means that all who answered are, and that every expected service is among them. Raises a
        503 Problem where the broker does not take the ping.
        """
        fresh = self._asked is not None and (
            not self._asked.done() or time.monotonic() - self._ended_at < _FRESH_SECONDS
        )
        if self._asked is None or not fresh:
            self._asked = asyncio.create_task(self._ping(), name="services-health")
        # Who asked first may go away; the others are waiting for the same.
        return await asyncio.shield(self._asked)

    async def _ping(self) -> ServicesHealth:
        try:
            return await self._answers()
        except (KafkaError, OSError, TimeoutError) as error:
            raise unavailable("the message broker") from error
        finally:
            self._ended_at = time.monotonic()

    async def _answers(self) -> ServicesHealth:
        ping_id = fresh_id()
        message = command(
            SERVICE_PING,
            ping_id,
            ServicePing(ping_id),
            event_id=ping_id,
            correlation_id=context.correlation_id.get() or None,
        )
        services: dict[str, list[Instance]] = {}
        with self._tail.subscribe(ping_id, (SERVICE_PONG,)) as answers:
            began = time.perf_counter()
            await self._producer.send_and_wait(SERVICE_PING, ping_id, message, context.record_headers())
            left = self._seconds
            # What has come is taken, also where this process itself was late.
            while (heard := await answers.next(max(left, 0))) is not None or left > 0:
                if heard is not None:
                    _note(services, heard.message.data, time.perf_counter() - began)
                left = began + self._seconds - time.perf_counter()
            waited = time.perf_counter() - began
        missing = sorted(self._expected - services.keys())
        healthy = not missing and all(
            instance.healthy for instances in services.values() for instance in instances
        )
        return ServicesHealth(
            healthy=healthy, services=services, missing=missing, waited_ms=round(waited * 1000, 1)
        )


def _note(services: dict[str, list[Instance]], pong: ServicePong | Any, seconds: float) -> None:
    assert isinstance(pong, ServicePong)
    known = services.setdefault(pong.service, [])
    if any(instance.instance == pong.instance for instance in known):
        return
    known.append(
        Instance(
            instance=pong.instance,
            healthy=pong.healthy,
            started_at=pong.started_at,
            answered_ms=round(seconds * 1000, 1),
            details=pong.details,
        )
    )
