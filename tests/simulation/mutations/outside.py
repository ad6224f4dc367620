"""Planted bugs of the gateway and of the sinks."""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from connectors.elasticsearch import bulk
from connectors.elasticsearch import sink as elasticsearch
from connectors.payments.provider import Answer
from connectors.postgres import statements
from connectors.redis import sink as redis
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


_on_conflict = statements._on_conflict  # the part of the statement that is planted with a bug
_operation = bulk.operation


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
