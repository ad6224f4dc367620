"""The health of all running services: one ping into a topic, and the pongs that come back."""

import time
from typing import Any

from pydantic import BaseModel, Field

from api import context
from api.commands import Producer
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


class ServicesHealthCheck:
    """Pings the services and gathers their answers."""

    def __init__(
        self, producer: Producer, tail: Dispatcher, seconds: float, expected: frozenset[str]
    ) -> None:
        self._producer = producer
        self._tail = tail
        self._seconds = seconds
        self._expected = expected

    async def ask(self) -> ServicesHealth:
        """Return who answered within the time that services get for it.

        `healthy` means that all who answered are, and that every expected service is among them.
        """
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
            while (left := began + self._seconds - time.perf_counter()) > 0:
                heard = await answers.next(left)
                if heard is not None:
                    _note(services, heard.message.data, time.perf_counter() - began)
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
