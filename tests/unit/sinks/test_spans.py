"""What is asked of a broker that is not there is not answered with nothing."""

import pytest
from confluent_kafka import KafkaException

from sinks.verify.spans import committed
from topics.settings import Settings


async def test_no_broker_is_not_a_group_that_it_does_not_know() -> None:
    with pytest.raises(KafkaException):
        await committed(Settings(kafka="127.0.0.1:1"), "ecommerce.nobody")
