"""Answering pings: who asks by a record in `ecommerce.service.ping` hears every running process.

A process starts one responder beside its work. It reads the ping topic without a group, from its end, so that
every process hears every ping; an answer that comes late is of no use, and none is repeated.
"""

import time
from collections.abc import Callable, Mapping
from typing import Self

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import MessageSizeTooLargeError

from schemas.envelope import Message, derived_id
from schemas.service import ServicePing, ServicePong
from topics.command import command
from topics.follower import Follower
from topics.producer import MessageProducer
from topics.registry import SERVICE_PING, SERVICE_PONG
from topics.settings import Settings
from topics.wire import decode

log = structlog.get_logger(__name__)

Healthy = Callable[[], bool]
Details = Callable[[], Mapping[str, str]]


def _always() -> bool:
    return True


def _nothing() -> Mapping[str, str]:
    return {}


class PingResponder:
    """Answers pings for one process: `service` is its kind, `instance` tells it from others of its kind.

    `healthy` and `details` are asked at each ping. Use as an async context manager, or start and stop it. It
    waits by itself for a broker that is down.
    """

    def __init__(
        self,
        settings: Settings,
        service: str,
        instance: str,
        *,
        healthy: Healthy = _always,
        details: Details = _nothing,
    ) -> None:
        self._settings = settings
        self._service = service
        self._instance = instance
        self._healthy = healthy
        self._details = details
        self._started_at = time.time_ns() // 1_000_000
        self._follower = Follower(settings, SERVICE_PING.name, self._answer_all)

    async def start(self) -> None:
        """Begin to answer, in the background."""
        self._follower.start()

    async def stop(self) -> None:
        """Answer no more."""
        await self._follower.stop()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _answer_all(self, consumer: AIOKafkaConsumer) -> None:
        place = TopicPartition(SERVICE_PING.name, 0)
        consumer.assign([place])
        await consumer.seek_to_end(place)
        async with MessageProducer(self._settings, f"ping-{self._service}") as producer:
            async for record in consumer:
                await self._answer(producer, record)

    async def _answer(self, producer: MessageProducer, record: ConsumerRecord) -> None:
        try:
            if record.value is None:
                return
            ping = decode(SERVICE_PING, record.value)
            pong = self._pong(ping)
        except Exception as error:  # noqa: BLE001 # whatever a ping holds, the next one is answered
            log.warning("unreadable ping", offset=record.offset, reason=repr(error))
            return
        try:
            await producer.send_and_wait(SERVICE_PONG, ping.data.ping_id, pong)
        except MessageSizeTooLargeError as error:
            log.warning("ping too large to be answered", offset=record.offset, reason=str(error))

    def _pong(self, ping: Message[ServicePing]) -> Message[ServicePong]:
        pong = ServicePong(
            ping_id=ping.data.ping_id,
            service=self._service,
            instance=self._instance,
            healthy=self._healthy(),
            started_at=self._started_at,
            details=dict(self._details()),
        )
        return command(
            SERVICE_PONG,
            ping.data.ping_id,
            pong,
            event_id=derived_id("pong", ping.event_id, self._service, self._instance),
            correlation_id=ping.correlation_id,
            causation_id=ping.event_id,
            source=self._service,
        )
