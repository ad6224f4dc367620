"""Planted bugs of the gateway and of the sinks."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from msgspec.structs import replace

from connectors.elasticsearch import bulk
from connectors.elasticsearch import sink as elasticsearch
from connectors.payments.offsets import Progress
from connectors.payments.provider import Answer
from connectors.postgres import statements
from connectors.postgres.compaction import Compacted, compact
from connectors.postgres.flush import Flush, Rows
from connectors.postgres.offsets import Offsets, Place, place_of, stretches_of
from connectors.postgres.sink import PostgresSink
from connectors.postgres.table import Row
from connectors.redis import sink as redis
from connectors.runtime.sink import Entry
from schemas.payment import PaymentInstruction
from tests.simulation.gateway import GatewayMoves, Network
from tests.simulation.mutations.mutation import Mutation
from tests.simulation.provider import Provider
from tests.simulation.scene import Scene
from tests.simulation.settings import Parts
from tests.simulation.sink import SinkMember


class _CommitsFirst(SinkMember):
    async def land(self) -> None:
        self.commit()
        await self.flush()
        self.in_hand = []


@asynccontextmanager
async def _offsets_first(
    self: PostgresSink,
    batch: Sequence[Entry[Row]],
    compacted: Compacted,  # noqa: ARG001 - of what is left there is another
) -> AsyncIterator[tuple[Flush, Rows]]:
    offsets = self._offsets
    assert offsets is not None
    connection = await self._connected()
    stretches = stretches_of(entry.record for entry in batch)
    await offsets.meet(connection, stretches)
    async with connection.transaction():
        known = await offsets.claim(connection, stretches)
    left = [each.rows for each in batch if each.record.offset >= known.get(place_of(each.record), 0)]
    async with connection.transaction():
        yield Flush(connection, self._tables), compact(left, self._by_row).rows


async def _nothing_is_known(self: Offsets, connection: Any, stretches: Mapping[Place, range]) -> Any:
    await _claim(self, connection, stretches)
    return {}


class _KeyPerAttempt(Network):
    def __init__(self, provider: Provider) -> None:
        super().__init__(provider)
        self._asked = 0

    async def perform(self, order_id: str, instruction: PaymentInstruction) -> Answer:
        self._asked += 1
        fresh = replace(instruction, idempotency_key=f"{instruction.idempotency_key}-{self._asked}")
        return await super().perform(order_id, fresh)


class _KeysOfItsOwn(GatewayMoves):
    def __init__(self, scene: Scene, provider: Provider) -> None:
        super().__init__(scene, provider)
        self.network = _KeyPerAttempt(provider)
        self.inbox.close()
        self._start()


class _Assuming(Network):
    async def perform(self, order_id: str, instruction: PaymentInstruction) -> Answer:
        answer = await super().perform(order_id, instruction)
        if answer.outcome == "unavailable":
            return Answer(outcome=type(answer.outcome).DECLINED, reason="no answer")
        return answer


class _TakesSilenceForNo(GatewayMoves):
    def __init__(self, scene: Scene, provider: Provider) -> None:
        super().__init__(scene, provider)
        self.network = _Assuming(provider)
        self.inbox.close()
        self._start()


def _behind_the_unfinished(self: Progress) -> int:
    return self._next


_on_conflict = statements._on_conflict  # the part of the statement that is planted with a bug
_operation = bulk.operation
_claim = Offsets.claim


def _unguarded(table: Any) -> str:
    return _on_conflict(table).split(" WHERE ")[0]


def _unversioned(write: Any, targets: Mapping[str, str]) -> list[dict[str, Any]]:
    lines = _operation(write, targets)
    for line in lines:
        if "index" in line:
            line["index"].pop("version_type")
        if "script" in line:
            line["script"]["source"] = "ctx._source.putAll(params.fields)"
    return lines


OUTSIDE: tuple[Mutation, ...] = (
    Mutation(
        "key-per-attempt",
        "connectors/payments",
        "every attempt has an idempotency key of its own",
        Parts(gateway=_KeysOfItsOwn),
    ),
    Mutation(
        "silence-is-no",
        "connectors/payments",
        "a provider that does not answer is taken to have declined",
        Parts(gateway=_TakesSilenceForNo),
    ),
    Mutation(
        "commit-the-unfinished",
        "connectors/payments",
        "the gateway commits behind a record that is not finished",
        Parts(),
        ((Progress, "position", property(_behind_the_unfinished)),),
    ),
    Mutation(
        "commit-before-flush",
        "connectors/runtime",
        "a sink commits before it has written",
        Parts(sink=_CommitsFirst),
    ),
    Mutation(
        "postgres-without-guard",
        "connectors/postgres",
        "an older version replaces a newer row",
        Parts(),
        ((statements, "_on_conflict", _unguarded),),
    ),
    Mutation(
        "offsets-before-rows",
        "connectors/postgres",
        "offsets are moved on in a transaction before that of the rows: a crash between leaves rows out",
        Parts(),
        ((PostgresSink, "_flushing", _offsets_first),),
    ),
    Mutation(
        "group-offsets-alone",
        "connectors/postgres",
        "what is written begins at the group's offsets, not at those beside the rows: a row comes twice",
        Parts(),
        ((Offsets, "claim", _nothing_is_known),),
    ),
    Mutation(
        "redis-without-guard",
        "connectors/redis",
        "an older version replaces a newer value",
        Parts(),
        ((redis, "_GUARDED_SET", "redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])"),),
    ),
    Mutation(
        "elasticsearch-without-guard",
        "connectors/elasticsearch",
        "an older version replaces a newer document",
        Parts(),
        ((elasticsearch, "operation", _unversioned),),
    ),
)
