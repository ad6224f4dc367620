"""Under which id and epoch a producer produces (KIP-98), and how the broker gives them."""

from typing import Any, Final, NamedTuple

import aiokafka.errors as kafka_errors
from aiokafka.client import AIOKafkaClient, ConnectionGroup
from aiokafka.protocol.transaction import InitProducerIdRequest

_TRANSACTION_TIMEOUT_MS: Final = 10_000
"""The request wants one; there are no transactions."""


class Identity(NamedTuple):
    """Who produces: the id and epoch that the broker gave."""

    producer_id: int
    epoch: int


NOBODY: Final = Identity(-1, -1)


async def obtain(
    client: AIOKafkaClient,
    node: int,
    transactional_id: str | None = None,
    group: ConnectionGroup = ConnectionGroup.DEFAULT,
) -> Identity:
    """Ask a broker for an identity; of a transactional id it is the same id with a higher epoch each time.

    For a transactional id `node` has to be its coordinator. Raises the broker's error, or aiokafka's own
    (KafkaError) where no answer came.
    """
    request = InitProducerIdRequest(
        transactional_id=transactional_id, transaction_timeout_ms=_TRANSACTION_TIMEOUT_MS
    )
    answer = await client.send(node, request, group=group)
    error: Any = kafka_errors.for_code(answer.error_code)
    if error is not kafka_errors.NoError:
        raise error
    return Identity(int(answer.producer_id), int(answer.producer_epoch))
