"""What consumer groups have committed and hold, asked of their coordinators in Kafka's own words.

Not by librdkafka's admin client: where a connection to a coordinator is dropped while one of its group
requests waits (a broker that was killed is enough), it aborts the whole process.
"""

import asyncio
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from aiokafka.conn import AIOKafkaConnection, collect_hosts, create_conn
from aiokafka.coordinator.protocol import ConsumerProtocol, ConsumerProtocolMemberAssignment
from aiokafka.errors import KafkaConnectionError, for_code
from aiokafka.protocol.admin import DescribeGroupsRequest, ListGroupsRequest
from aiokafka.protocol.api import Request
from aiokafka.protocol.commit import OffsetFetchRequest
from aiokafka.protocol.coordination import FindCoordinatorRequest
from aiokafka.protocol.metadata import MetadataRequest

from topics.connection import Connection, aiokafka_options
from topics.offsets import Place

_GROUP: Final = 0
"""The kind of coordinator that a group has."""

_AGAIN_S: Final = 30.0
"""How long a connection waits for an answer by itself; who asks has a shorter time."""

Address = tuple[str, int]


class NoBrokerError(KafkaConnectionError):  # type: ignore[misc] # aiokafka is untyped
    """No broker takes a connection."""


class Committed(NamedTuple):
    """An offset as it was committed, and the text that was committed with it."""

    offset: int
    text: str


class Coordinators:
    """Connections to the brokers that coordinate groups. Belongs to one event loop.

    Its methods raise aiokafka's KafkaError and OSError where a broker cannot be asked or refuses.
    """

    def __init__(self, way: Connection) -> None:
        self._options = aiokafka_options(way)
        self._first = [
            (host, port) for host, port, _ in collect_hosts(self._options.pop("bootstrap_servers"))
        ]
        self._open: dict[Address, AIOKafkaConnection] = {}
        self._opening = asyncio.Lock()
        self._of_group: dict[str, Address] = {}

    async def names(self) -> set[str]:
        """Return the names of all groups of consumers that the brokers know."""
        brokers = (await self._ask(await self._any(), MetadataRequest([]))).brokers
        answers = await asyncio.gather(
            *(self._ask((host, port), ListGroupsRequest()) for _, host, port, *_ in brokers)
        )
        for answer in answers:
            _refuse(answer.error_code)
        return {name for answer in answers for name, _ in answer.groups}

    async def committed(self, group: str) -> dict[Place, Committed]:
        """Return what a group has committed; nothing where it never did or is not there."""
        answer = await self._ask(await self._coordinator(group), OffsetFetchRequest(group, None))
        _refuse(answer.error_code)
        found = {}
        for topic, partitions in answer.topics:
            for partition, offset, text, code in partitions:
                _refuse(code)
                if offset >= 0:
                    # librdkafka commits the zero byte that ends its text in memory, too.
                    found[topic, partition] = Committed(offset, (text or "").removesuffix("\0"))
        return found

    async def held(self, group: str) -> set[Place]:
        """Return the partitions that a group's members hold; none where it has no members or is not there.

        Nothing is known of members of a group that follows the newer protocol of groups (KIP-848).
        """
        # One group at a time: aiokafka reads no answer that has several.
        answer = await self._ask(await self._coordinator(group), DescribeGroupsRequest([group]))
        ((code, _, _, kind, _, members, *_),) = answer.groups
        _refuse(code)
        if kind != ConsumerProtocol.PROTOCOL_TYPE:
            return set()
        return {place for member in members for place in _assigned(member[4])}

    async def close(self) -> None:
        """Forget who coordinates which group, and close the connections."""
        self._of_group.clear()
        closing = [each.close() for each in self._open.values()]
        self._open.clear()
        await asyncio.gather(*closing)

    async def _coordinator(self, group: str) -> Address:
        if group not in self._of_group:
            answer = await self._ask(await self._any(), FindCoordinatorRequest(group, _GROUP))
            _refuse(answer.error_code)
            self._of_group[group] = answer.host, answer.port
        return self._of_group[group]

    async def _any(self) -> Address:
        """Return the address of a broker that is connected."""
        refused: OSError | None = None
        for address in self._first:
            try:
                await self._connection(address)
            except OSError as error:
                refused = error
            else:
                return address
        raise NoBrokerError(f"no broker at {_named(self._first)}: {refused}")

    async def _ask(self, address: Address, request: Request[Any]) -> Any:
        return await (await self._connection(address)).send(request)

    async def _connection(self, address: Address) -> AIOKafkaConnection:
        async with self._opening:
            found = self._open.get(address)
            if found is None or not found.connected():
                found = self._open[address] = await create_conn(
                    *address,
                    client_id="ecommerce-groups",
                    request_timeout_ms=int(_AGAIN_S * 1000),
                    **self._options,
                )
        return found


def _assigned(assignment: bytes) -> Iterable[Place]:
    """Return what a member holds; it holds nothing while its group is in a rebalance."""
    if not assignment:
        return ()
    told = ConsumerProtocolMemberAssignment.decode(assignment)
    return [(topic, partition) for topic, partitions in told.assignment for partition in partitions]


def _refuse(code: int) -> None:
    if code:
        raise for_code(code)


def _named(addresses: Iterable[Address]) -> str:
    return ", ".join(f"{host}:{port}" for host, port in addresses)
