"""The platform's own flows on the in-memory driver, fed from a real broker and answering to it.

It takes the place of worker and payment gateway, so that tests of the API start no further process. A payment
token that ends in 0002 is declined.
"""

import asyncio
import time
from typing import Any, Self

from aiokafka import AIOKafkaConsumer

from schemas.payment import PaymentInstruction, PaymentOutcome, ProviderOutcome
from streams.cart.agent import FLOW as CART
from streams.inventory.allocation.agent import FLOW as ALLOCATION
from streams.inventory.stock.agent import FLOW as STOCK
from streams.kernel.driver import Driver
from streams.order.agent import FLOW as ORDER
from streams.payment.agent import FLOW as PAYMENT
from streams.product.agent import FLOW as PRODUCT
from topics import registry as t
from topics.connection import aiokafka_options
from topics.producer import MessageProducer
from topics.settings import Settings
from topics.topic import RawTopic, Topic
from topics.wire import decode

COMMANDS: tuple[Topic[Any], ...] = (
    t.CART_ADD,
    t.CART_CHANGE,
    t.CART_REMOVE,
    t.CART_CLEAR,
    t.CART_MERGE,
    t.CHECKOUT_REQUESTED,
    t.ORDER_CANCEL,
    t.ORDER_ADVANCE,
    t.INVENTORY_RECEIVE,
    t.INVENTORY_ADJUST,
    t.PRODUCT_CREATE,
    t.PRODUCT_UPDATE,
    t.PRODUCT_DELETE,
)
DECLINED = "0002"


class Dataflow:
    """Use it as an async context manager; `pause` keeps commands waiting."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._running = asyncio.Event()
        self._running.set()
        self.seen: list[tuple[str, str]] = []

    def pause(self) -> None:
        self._running.clear()

    def resume(self) -> None:
        self._running.set()

    async def __aenter__(self) -> Self:
        self._consumer = AIOKafkaConsumer(
            *(topic.name for topic in COMMANDS),
            **aiokafka_options(self._settings),
            enable_auto_commit=False,
        )
        await self._consumer.start()
        await self._consumer.seek_to_end()
        self._producer = MessageProducer(self._settings, "test-dataflow")
        await self._producer.start()
        self._driver = Driver(PRODUCT, CART, ORDER, STOCK, ALLOCATION, PAYMENT)
        await self._driver.__aenter__()
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        (ended,) = await asyncio.gather(self._task, return_exceptions=True)
        await self._consumer.stop()
        await self._producer.stop()
        assert isinstance(ended, asyncio.CancelledError), ended

    async def _run(self) -> None:
        while True:
            record = await self._consumer.getone()
            await self._running.wait()
            self.seen.append((record.topic, record.key.decode()))
            await self._apply(record.topic, record.key, record.value)

    async def _apply(self, topic: str, key: bytes, value: bytes) -> None:
        log = self._driver.log
        before = len(log.arrived) + 1
        self._driver.now = max(self._driver.now, time.time_ns() // 1_000_000)
        await self._driver.send_raw(topic, key, value)
        answered = before
        while answered < len(log.arrived):
            record = log.arrived[answered]
            answered += 1
            if record.topic == t.PAYMENT_INSTRUCT.name and record.value is not None:
                await self._pay(record.value)
        for record in log.arrived[before:]:
            await self._producer.send_raw(RawTopic(record.topic), record.key, record.value)
        await self._producer.flush()

    async def _pay(self, value: bytes) -> None:
        message = decode(t.PAYMENT_INSTRUCT, value)
        instruction: PaymentInstruction = message.data
        declined = instruction.payment_token.endswith(DECLINED)
        await self._driver.send(
            t.PAYMENT_OUTCOME,
            message.aggregate_id,
            PaymentOutcome(
                operation=instruction.operation,
                idempotency_key=instruction.idempotency_key,
                outcome=ProviderOutcome.DECLINED if declined else ProviderOutcome.APPROVED,
                attempt=instruction.attempt,
                provider_reference=None if declined else "ref_1",
                reason="card_declined" if declined else None,
            ),
            causation_id=message.event_id,
            correlation_id=message.correlation_id,
        )
