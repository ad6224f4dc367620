"""The whole platform in one process, a step at a time: topics, workers, gateway, provider, sinks, people."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch
from zlib import crc32

from connectors.payments import gateway as real_gateway
from connectors.payments.simulator import operations
from sinks import elasticsearch, postgres, redis
from streams.kernel.ports import Output
from tests.simulation.broker import Broker
from tests.simulation.gateway import GatewayMoves
from tests.simulation.monitor import Monitor
from tests.simulation.provider import Provider
from tests.simulation.scene import START_MS, Choice, Scene, Told
from tests.simulation.settings import Parts
from tests.simulation.shop import Shop
from tests.simulation.sink import SinkMoves
from tests.simulation.small import PRODUCT_POLICY, sizes
from tests.simulation.views.elasticsearch import Documents, MemoryElasticsearchSink
from tests.simulation.views.postgres import Database, MemoryPostgresSink
from tests.simulation.views.redis import MemoryRedisSink
from tests.simulation.worker_moves import WorkerMoves
from topics.command import command
from topics.registry import (
    CHECKOUT_REQUESTED,
    DEAD_LETTERS,
    PAYMENT_INSTRUCT,
    PRODUCT_CREATE,
    PRODUCT_DELETE,
    PRODUCT_UPDATE,
    TOPICS,
)
from topics.topic import Kind
from topics.wire import decode

REPEAT_WITHIN_MS = 300_000
"""How old a record may be that comes again: a producer that repeats itself does so soon."""

OLDEST_MS = 25 * 60_000
"""No record waits longer than this while time goes on: markers are kept for an hour, not for ever."""

REPEAT_CHECKOUT_WITHIN_MS = 55 * 60_000
"""How long a client may ask for a checkout again under the same order id, as the API's idempotency window
says. An emptied cart is kept for 90 minutes here: for so long, for the oldest record, and for wrong clocks.
"""

_SHORT_MEMORY = frozenset({PRODUCT_CREATE.name, PRODUCT_UPDATE.name, PRODUCT_DELETE.name})
"""Commands of a flow that remembers only its latest few."""

_LANES = frozenset({"fetch", "work", "carry", "rest", "arm", "fire"})
_OUTSIDE = frozenset({"say", "repeat", "tick", "skew"})


def fixed(number: int = 0, now: int = START_MS) -> SimpleNamespace:
    """Return what stands in for a random id and for the clock of a module that has its own."""
    return SimpleNamespace(hex=f"{number:032x}", time_ns=lambda: now * 1_000_000)


class World:
    """A world and its moves. Everything that happens is a `Choice`, carried out by `perform`."""

    def __init__(self, seed: int, parts: Parts | None = None, *, telling: bool = False) -> None:
        self.parts = parts = parts or Parts()
        self.seed = seed
        self.monitor = Monitor()
        single = frozenset(topic.name for topic in DEAD_LETTERS.values())
        self.scene = Scene(Broker(parts.partitions, single, self.monitor.watch), telling=telling)
        self.shop = Shop(random.Random(f"shop {seed}"), self.scene.names)
        self.said: set[int] = set()
        self._asked: dict[str, int] = {}
        self.provider = Provider()
        self.database, self.carts, self.documents = Database(), dict[str, bytes](), Documents()
        self.cluster = parts.cluster(self.scene, parts.flows, parts.workers, parts.task)
        self.cluster.changelogs = {place: parts.changelog() for place in self.cluster.changelogs}
        self.gateway: GatewayMoves = parts.gateway(self.scene, self.provider)
        self.sinks = {sink.name: sink for sink in self._sinks()}
        self.consumed = frozenset(route.topic.name for flow in parts.flows for route in flow.routes) | {
            PAYMENT_INSTRUCT.name
        }
        shown = {topic for sink in self.sinks.values() for topic, _ in sink.inbox.cursors}
        self.commands = sorted(
            route.topic.name
            for flow in parts.flows
            for route in flow.routes
            if route.topic.kind is Kind.COMMAND and route.topic.name not in shown
        )
        """Topics that nobody but the flows reads."""
        self.steps = 0
        self.state = 0
        self._signed: dict[int, int] = {}
        self._identities = 0
        self._moves: dict[str, Callable[..., Told]] = {
            "say": self.say,
            "repeat": self.repeat,
            "tick": self.tick,
            "poll": lambda sink, *rest: self.sinks[sink].poll(*rest),
            "write": lambda sink, *rest: self.sinks[sink].write(*rest),
            "sink-crash": lambda sink: self.sinks[sink].crash(),
            "sink-succeed": lambda sink: self.sinks[sink].succeed(),
            "late-write": lambda sink, *rest: self.sinks[sink].late(*rest),
            **WorkerMoves(self.cluster).moves(),
            **self.gateway.moves(),
        }

    def _sinks(self) -> list[SinkMoves]:
        make = self.parts.sink
        return [
            SinkMoves(
                self.scene,
                "postgres",
                postgres.PROJECTIONS,
                lambda: MemoryPostgresSink(self.database),
                make,
            ),
            SinkMoves(
                self.scene,
                "redis",
                redis.PROJECTIONS,
                lambda: MemoryRedisSink(self.carts, redis.TTL_S),
                make,
            ),
            SinkMoves(
                self.scene,
                "elasticsearch",
                elasticsearch.PROJECTIONS,
                lambda: MemoryElasticsearchSink(self.documents),
                make,
            ),
        ]

    def perform(self, choice: Choice) -> Told:
        """Carry a step out. Returns what happened, or None where it is not possible now."""
        told = self._moves[str(choice[0])](*choice[1:])
        if told is not None:
            self.steps += 1
            self._sign(choice)
        return told

    def _sign(self, choice: Choice) -> None:
        """Keep `state`, the number by which distinct states of the world are told apart, up to date."""
        signed = [(0, hash((self.scene.broker.contents, self._identities)))]
        if len(choice) > 3 and choice[0] in _LANES:
            lane = self.cluster.lane(*choice[1:4])  # type: ignore[arg-type] # worker, flow, partition
            signed.append((crc32(f"{choice[1:4]}".encode()), 0 if lane is None else lane.signature()))
        elif len(choice) > 1 and choice[1] in self.sinks:
            signed.append((crc32(str(choice[1]).encode()), self.sinks[str(choice[1])].signature()))
        elif choice[0] not in _OUTSIDE:
            signed.append((1, self.gateway.signature()))
            running = tuple(worker.running for worker in self.cluster.workers)
            signed.append((2, hash((running, tuple(self.cluster.owners.values())))))
        for who, signature in signed:
            self.state ^= hash((who, self._signed.get(who, 0))) ^ hash((who, signature))
            self._signed[who] = signature

    # -- people and time -------------------------------------------------------------------------------

    def say(self, index: int) -> Told:
        """Somebody sends a command."""
        if index in self.said:
            return None
        self.said.add(index)
        asked = self.shop.commands[index]
        again = any(self.shop.commands[other].event_id == asked.event_id for other in self.said - {index})
        if again and not self._remembered(asked.topic.name, asked.key, asked.event_id):
            return None
        if asked.topic is CHECKOUT_REQUESTED:
            first = self._asked.setdefault(asked.data.order_id, self.scene.now)
            if self.scene.now - first > REPEAT_CHECKOUT_WITHIN_MS:
                return None
        self.scene.broker.append(asked.output(self.scene.now), self.scene.now)
        return self.scene.told(lambda: asked.words)

    def repeat(self, topic: str, partition: int, offset: int) -> Told:
        """A producer sends a record again that it has sent already."""
        log = self.scene.broker.log((topic, partition))
        if offset >= len(log) or log[offset].timestamp < self.scene.now - REPEAT_WITHIN_MS:
            return None
        record = log[offset]
        if record.topic in _SHORT_MEMORY:
            message = decode(TOPICS[topic], record.value or b"")
            if not self._remembered(topic, message.aggregate_id, message.event_id):
                return None
        self.scene.broker.append(Output(topic, record.key, record.value, record.headers), self.scene.now)
        return self.scene.told(lambda: f"{self.scene.name_of(record)} is sent a second time")

    def _remembered(self, topic: str, key: str, command_id: str) -> bool:
        """Say whether the command's key will still know it, whatever else comes to the key meanwhile."""
        if topic not in _SHORT_MEMORY:
            return True
        answered = self.monitor.answered[key]
        at = answered.get(command_id, 0)
        others = {
            asked.event_id
            for asked in self.shop.commands
            if asked.key == key
            and asked.topic.name in _SHORT_MEMORY
            and answered.get(asked.event_id, at) >= at
        }
        return len(others - {command_id}) < PRODUCT_POLICY.remembered_commands

    def tick(self, milliseconds: int) -> Told:
        """Time passes, but for records that have waited too long already."""
        if milliseconds > 1_000 and not self._may_pass(milliseconds):
            return None
        self.scene.now += milliseconds
        return self.scene.told(lambda: f"{milliseconds / 1000:g} s pass")

    def _may_pass(self, milliseconds: int) -> bool:
        if len(self.cluster.owners) < len(self.cluster.places):
            return False
        boxes = [lane.inbox for worker in self.cluster.workers for lane in worker.lanes.values()]
        boxes.append(self.gateway.inbox)
        held = [
            record.timestamp
            for worker in self.cluster.workers
            for lane in worker.lanes.values()
            for record in lane.pending
        ]
        held += [
            changelog.outbox_since
            for changelog in self.cluster.changelogs.values()
            if changelog.outbox_since is not None
        ]
        held += [oldest for box in boxes if (oldest := box.oldest()) is not None]
        lost = any(not self.cluster.workers[index].running for index in self.cluster.owners.values())
        return not lost and self.scene.now + milliseconds - min(held, default=self.scene.now) <= OLDEST_MS

    def close(self) -> None:
        """Forget all work under way."""
        for worker in self.cluster.workers:
            worker.drop()
        units = [handling.unit for handling in self.gateway.handlings.values()]
        for sink in self.sinks.values():
            units += [*sink.zombies, *([sink.unit] if sink.unit else [])]
        for unit in units:
            unit.drop()

    # -- rest ------------------------------------------------------------------------------------------

    @contextmanager
    def deterministic(self) -> Iterator[None]:
        """Replace the clocks and the random ids of the parts that have their own, and set the sizes."""

        def identity() -> SimpleNamespace:
            self._identities += 1
            return fixed(self._identities)

        def made(*args: Any, **kwargs: Any) -> Any:
            return command(*args, **kwargs, occurred_at=self.scene.now)

        with (
            sizes(self.seed),
            patch.object(operations, "uuid4", identity),
            patch.object(operations, "time", SimpleNamespace(time_ns=lambda: self.scene.now * 1_000_000)),
            patch.object(real_gateway, "command", made),
        ):
            yield
