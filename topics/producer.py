"""Sending typed messages to their topics: idempotent, acknowledged by all replicas, without linger."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Self, TypeVar

import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.structs import RecordMetadata

from schemas.envelope import Message
from topics.connection import aiokafka_options
from topics.settings import Settings
from topics.topic import RawTopic, Topic
from topics.wire import encode

D = TypeVar("D", bound=msgspec.Struct)

Headers = Mapping[str, str] | Sequence[tuple[str, bytes | None]]
"""As text by name, or as the broker has them: bytes or nothing, in their order."""

# A cart of 2,000 lines is about 200 kB; the broker's own limit is 1 MiB.
MAX_REQUEST_BYTES = 1_000_000


class MessageProducer:
    """A producer of the registry's topics; partitions are murmur2 of the key's UTF-8 bytes.

    Use it as an async context manager, or call `start` and `stop`.
    """

    def __init__(self, settings: Settings, client_id: str = "ecommerce") -> None:
        self._settings = settings
        self._client_id = client_id
        self._producer: AIOKafkaProducer | None = None

    async def start(self) -> None:
        """Connect. Raises aiokafka's KafkaConnectionError where no broker answers."""
        producer = AIOKafkaProducer(
            **aiokafka_options(self._settings),
            client_id=self._client_id,
            enable_idempotence=True,
            acks="all",
            max_request_size=MAX_REQUEST_BYTES,
        )
        try:
            await producer.start()
        except BaseException:
            await producer.stop()
            raise
        self._producer = producer

    async def stop(self) -> None:
        """Send what is queued, then disconnect."""
        if self._producer is not None:
            await self._producer.stop()
            self._producer = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def send(
        self, topic: Topic[D], key: str, message: Message[D], headers: Mapping[str, str] | None = None
    ) -> "asyncio.Future[RecordMetadata]":
        """Queue a message; the returned future is the broker's answer."""
        return await self.send_raw(topic, key.encode(), encode(topic, message), headers)

    async def send_and_wait(
        self, topic: Topic[D], key: str, message: Message[D], headers: Mapping[str, str] | None = None
    ) -> RecordMetadata:
        """Send a message and wait until the broker has it."""
        return await (await self.send(topic, key, message, headers))

    async def send_raw(
        self,
        topic: Topic[D] | RawTopic,
        key: bytes | None,
        value: bytes | None,
        headers: Headers | None = None,
    ) -> "asyncio.Future[RecordMetadata]":
        """Queue bytes as they are: dead letters, redriven and replayed records."""
        if self._producer is None:
            raise RuntimeError("the producer is not started")
        encoded: list[tuple[str, bytes | None]]
        if isinstance(headers, Mapping):
            encoded = [(name, text.encode()) for name, text in headers.items()]
        else:
            encoded = list(headers or ())
        future: asyncio.Future[RecordMetadata] = await self._producer.send(
            topic.name, key=key, value=value, headers=encoded
        )
        return future

    async def flush(self) -> None:
        """Wait until the broker has everything that was queued."""
        if self._producer is not None:
            await self._producer.flush()
