"""Changelog batches on their way to the broker: those that wait for it go together.

A broker answers a connection's requests one after the other, so a request per lane only queues there. Here
one request per broker is on its way; what comes meanwhile, from any lane, is the next one. A batch that comes
alone goes alone and at once.
"""

import asyncio
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import aiokafka.errors as kafka_errors
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.structs import TopicPartition

T = TypeVar("T")

ALL_REPLICAS: Final = -1
PRODUCE_TIMEOUT_MS: Final = 10_000
REQUEST_TIMEOUT_MS: Final = 15_000
"""Of the clients that appends go by: longer than the broker may take for one."""
# Over the client's own limits for connecting and for an answer: nobody waits for ever, whatever it does.
ANSWER_S: Final = 40.0
METADATA_S: Final = 3.0
# Well under the broker's socket.request.max.bytes (100 MiB); a single batch has 16 MiB at most.
MAX_REQUEST_BYTES: Final = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Append:
    place: TopicPartition
    batch: bytes
    offset: "asyncio.Future[int]"


class Appends:
    """Sends record batches as they are, one produce request per broker at a time."""

    def __init__(self, client: AIOKafkaClient) -> None:
        self.client = client
        self.answered = 0
        """How many requests the broker has answered, refusals included."""
        self._waiting: dict[int, deque[_Append]] = {}
        self._senders: dict[int, asyncio.Task[None]] = {}

    async def append(self, place: TopicPartition, batch: bytes) -> int:
        """Append a batch, one at a time per partition; return its first offset when all replicas have it.

        Raises the broker's error, aiokafka's own (KafkaError) where no answer came.
        """
        return await self.submit(place, batch)

    def submit(self, place: TopicPartition, batch: bytes) -> "asyncio.Future[int]":
        """Do the same, and return at once what will be its first offset, or its error."""
        offset: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        leader = self.client.cluster.leader_for_partition(place)
        if leader is None or leader == -1:
            offset.set_exception(kafka_errors.LeaderNotAvailableError(*place))
            return offset
        waiting = self._waiting.get(leader)
        if waiting is None:
            waiting = self._waiting[leader] = deque()
        waiting.append(_Append(place, batch, offset))
        if leader not in self._senders:
            self._senders[leader] = asyncio.create_task(self._send_all(leader, waiting))
        return offset

    async def _send_all(self, leader: int, waiting: deque[_Append]) -> None:
        try:
            while waiting:
                if appends := _together(waiting):
                    await self._send(leader, appends)
        finally:
            del self._senders[leader]

    async def _send(self, leader: int, appends: list[_Append]) -> None:
        topics: dict[str, list[tuple[int, bytes]]] = {}
        for append in appends:
            topics.setdefault(append.place.topic, []).append((append.place.partition, append.batch))
        request = ProduceRequest(
            transactional_id=None,
            required_acks=ALL_REPLICAS,
            timeout=PRODUCE_TIMEOUT_MS,
            topics=list(topics.items()),
        )
        try:
            async with asyncio.timeout(ANSWER_S):
                response = await self.client.send(leader, request)
        except TimeoutError:
            for append in appends:
                settle(append.offset, kafka_errors.RequestTimedOutError())
            return
        except BaseException as error:
            for append in appends:
                settle(append.offset, error)
            if not isinstance(error, kafka_errors.KafkaError):
                raise
            return
        self.answered += 1
        answers: dict[tuple[str, int], Any] = {
            (topic, partition): (code, offset)
            for topic, partitions in response.topics
            for partition, code, offset, *_ in partitions
        }
        for append in appends:
            code, offset = answers[append.place]
            kind: Any = kafka_errors.for_code(code)
            settle(append.offset, offset if kind is kafka_errors.NoError else kind())


async def renew_metadata(client: AIOKafkaClient) -> None:
    """Ask for the cluster's metadata, and wait a moment for it: who tries again sees whether it has come.

    After a broker's death aiokafka's update was seen not to end, and lanes with it.
    """
    with suppress(TimeoutError):
        await asyncio.wait_for(client.force_metadata_update(), METADATA_S)


def _together(waiting: deque[_Append]) -> list[_Append]:
    """Take from the front what fits into one request: each partition once, and not too many bytes."""
    taken: dict[TopicPartition, _Append] = {}
    size = 0
    while waiting and waiting[0].place not in taken:
        size += len(waiting[0].batch)
        if taken and size > MAX_REQUEST_BYTES:
            break
        append = waiting.popleft()
        if not append.offset.done():  # else its lane was stopped meanwhile
            taken[append.place] = append
    return list(taken.values())


def settle(future: "asyncio.Future[T]", outcome: T | BaseException) -> None:
    """Give a future its outcome, unless whoever awaited it has gone."""
    if future.done():
        return
    if isinstance(outcome, BaseException):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)
