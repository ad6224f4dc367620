"""What becomes of outputs that come before the publisher is connected, or after."""

import asyncio

import pytest
from aiokafka.errors import ProducerClosed

from streams.kernel.ports import Output
from streams.kernel.publisher import KafkaPublisher
from topics.settings import Settings


@pytest.mark.parametrize("known", [{}, {"topic": 4}])
async def test_what_comes_when_it_is_not_connected_fails_at_once(known: dict[str, int]) -> None:
    publisher = KafkaPublisher(Settings(kafka="127.0.0.1:1"), "test")
    publisher._counts.update(known)
    await publisher.stop()
    with pytest.raises(ProducerClosed):
        await asyncio.wait_for(publisher.publish([Output("topic", b"key", b"value")]), 10)
