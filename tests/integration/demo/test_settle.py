"""Points of rest, against a real broker."""

import asyncio
import uuid

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from deploy.demo.outcomes import Outcomes, StalledError
from deploy.demo.settle import NotSettledError, Positions, caught_up, settled
from schemas.checkout import CheckoutCompleted
from schemas.service import TimerDue
from topics.command import command
from topics.connection import KafkaOptions, aiokafka_options
from topics.producer import MessageProducer
from topics.registry import CHECKOUT_COMPLETED, ORDER_DUE
from topics.settings import Settings

pytestmark = pytest.mark.usefixtures("coordinated")


async def send(settings: Settings, count: int) -> None:
    async with MessageProducer(settings) as producer:
        for _ in range(count):
            key = str(uuid.uuid4())
            await producer.send_and_wait(ORDER_DUE, key, command(ORDER_DUE, key, TimerDue(1)))


async def commit_all(settings: Settings, group: str) -> None:
    """Read nothing, but commit the end of every partition, as a reader that is done does."""
    consumer = AIOKafkaConsumer(**aiokafka_options(settings), group_id=group, enable_auto_commit=False)
    await consumer.start()
    partitions = [TopicPartition(ORDER_DUE.name, p) for p in range(settings.partitions)]
    consumer.assign(partitions)
    await consumer.commit(await consumer.end_offsets(partitions))
    await consumer.stop()


@pytest.fixture
async def coordinated(settings: Settings, topics_created: KafkaOptions) -> None:
    """Let the broker have its coordinators, as one that ever had a consumer group does."""
    assert topics_created
    await commit_all(settings, "ecommerce.test.settle")


async def test_a_reader_that_never_committed_is_behind_by_everything(
    settings: Settings, group_suffix: str
) -> None:
    await send(settings, 3)
    group = f"ecommerce.test.{group_suffix}"
    positions = Positions(settings, {group: [ORDER_DUE.name]})
    with pytest.raises(NotSettledError, match=rf"{group} by \d+ in {ORDER_DUE.name}"):
        await caught_up(positions, [ORDER_DUE.name], timeout_s=0.1)
    assert positions.lag() >= 3


async def test_waiting_ends_when_the_reader_has_committed(settings: Settings, group_suffix: str) -> None:
    await send(settings, 3)
    group = f"ecommerce.test.{group_suffix}"
    positions = Positions(settings, {group: [ORDER_DUE.name]})
    waiting = asyncio.create_task(settled(positions, timeout_s=30))
    await commit_all(settings, group)
    await waiting
    assert positions.lag() == 0
    before = positions.written()
    await send(settings, 2)
    assert positions.lag() == 2
    assert positions.written() == before + 2


async def test_outcomes_count_what_ends_after_they_began_to_listen(settings: Settings) -> None:
    order, cart = str(uuid.uuid4()), str(uuid.uuid4())
    ended = command(CHECKOUT_COMPLETED, order, CheckoutCompleted(cart, 1, "GBP"))
    async with Outcomes(settings, stall_s=30) as outcomes, MessageProducer(settings) as producer:
        outcomes.expect(order, cart)
        await producer.send_and_wait(CHECKOUT_COMPLETED, order, ended)
        await outcomes.until(0)
        assert (len(outcomes.in_flight), outcomes.in_flight.done) == (0, 1)


async def test_a_platform_that_ends_nothing_is_named(settings: Settings) -> None:
    async with Outcomes(settings, stall_s=0.1) as outcomes:
        outcomes.expect(str(uuid.uuid4()))
        with pytest.raises(StalledError, match="1 orders are under way"):
            await outcomes.until(0)
        await outcomes.until(0, stopped=lambda: True)
