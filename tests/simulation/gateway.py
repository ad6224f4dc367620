"""The payment gateway: the real handling of an instruction, over a network that fails as networks do."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiokafka import TopicPartition

from connectors.payments import gateway as real
from connectors.payments.offsets import Progress
from connectors.payments.provider import Answer
from connectors.payments.settings import GatewaySettings
from connectors.runtime.record import Record
from schemas.payment import PaymentInstruction, ProviderOutcome
from streams.kernel.ports import Output
from tests.simulation.broker import Inbox
from tests.simulation.effects import Unit, effect
from tests.simulation.provider import Provider
from tests.simulation.scene import Scene, Told
from topics.registry import PAYMENT_INSTRUCT
from topics.settings import Settings
from topics.topic import Topic
from topics.wire import encode

OK, REFUSED, LATE = "ok", "refused", "late"
MODES = (OK, REFUSED, LATE)

_SETTINGS = Settings()
_RULES = GatewaySettings()


class Network:
    """The way to the provider. `mode` says what becomes of the next request or answer.

    `late` requests have timed out here and arrive there at some later time.
    """

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self.mode = OK
        self.late: list[tuple[str, PaymentInstruction]] = []

    async def perform(self, order_id: str, instruction: PaymentInstruction) -> Answer:
        """Ask the provider: the request may be lost or late, and so may the answer."""
        await effect("provider: asked")
        if self.mode == LATE:
            self.late.append((order_id, instruction))
        if self.mode != OK:
            return Answer(ProviderOutcome.UNAVAILABLE, reason="timeout")
        answer = self._provider.serve(order_id, instruction)
        await effect("provider: answered")
        return answer if self.mode == OK else Answer(ProviderOutcome.UNAVAILABLE, reason="timeout")


class Producer:
    """The gateway's way to the broker."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    async def send_and_wait(
        self, topic: Topic[Any], key: str, message: Any, headers: Mapping[str, str] | None = None
    ) -> None:
        """Send a message and wait until the broker has it."""
        made = tuple((name, value.encode()) for name, value in (headers or {}).items())
        self._scene.broker.append(
            Output(topic.name, key.encode(), encode(topic, message), made), self._scene.now
        )
        await effect("outcome: sent")


class _Gateway(real.Gateway):
    def __init__(self, network: Network, producer: Producer) -> None:
        super().__init__(_SETTINGS, _RULES, network)
        self._producer = producer  # type: ignore[assignment] # it answers to the one call that is made

    def handle(self, record: Record, progress: Progress) -> Unit:
        """Return the handling of one instruction, not yet begun."""
        return Unit(self._handle(record, progress))


@dataclass
class Handling:
    """An instruction under way, by the gateway of one generation."""

    record: Record
    unit: Unit
    generation: int


class GatewayMoves:
    """The gateway's moves. A successor begins at the committed offsets; what its predecessor had in hand
    goes on all the same, as a process does that has not heard of its end.
    """

    def __init__(self, scene: Scene, provider: Provider) -> None:
        self._scene = scene
        self._provider = provider
        self.network = Network(provider)
        self.generation = 0
        self.handlings: dict[int, Handling] = {}
        self.violations: list[str] = []
        self._number = 0
        self.inbox: Inbox
        self.progress: dict[int, Progress]
        self._start()

    def _start(self) -> None:
        places = self._scene.broker.places([PAYMENT_INSTRUCT.name])
        self.inbox = Inbox(self._scene.broker, real.GROUP, places)
        self.progress = {partition: Progress() for _, partition in places}
        self._gateway = _Gateway(self.network, Producer(self._scene))

    def moves(self) -> dict[str, Callable[..., Told]]:
        """Return the moves by name."""
        return {
            "instruct": self.instruct,
            "provide": self.provide,
            "arrive": self.arrive,
            "gateway-commit": self.commit,
            "gateway-crash": self.crash,
            "gateway-succeed": self.succeed,
        }

    def instruct(self, partition: int) -> Told:
        """The gateway takes an instruction on."""
        place = (PAYMENT_INSTRUCT.name, partition)
        if place not in self.inbox.waiting:
            return None
        (record,) = self.inbox.fetch(place, 1)
        progress = self.progress[partition]
        progress.begin(record.offset)
        self.handlings[self._number] = Handling(
            record, self._gateway.handle(record, progress), self.generation
        )
        self._number += 1
        return self._scene.told(
            lambda: f"the gateway takes {self._scene.name_of(record)} on as instruction {self._number - 1}"
        )

    def ready(self) -> list[int]:
        """Return the instructions that may go on: in order within an order, and within a generation."""
        seen: set[tuple[int, bytes | None]] = set()
        found = []
        for number, handling in self.handlings.items():
            key = (handling.generation, handling.record.key)
            if key not in seen:
                seen.add(key)
                found.append(number)
        return found

    def provide(self, number: int, mode: str) -> Told:
        """An instruction goes on: asked, answered, told; `mode` is what the network does to it."""
        if number not in self.handlings or number not in self.ready():
            return None
        handling = self.handlings[number]
        self.network.mode = mode
        at = handling.unit.at
        if handling.unit.carry():
            del self.handlings[number]
        return self._scene.told(lambda: f"instruction {number} {_course(at, handling.unit, mode)}")

    def arrive(self, index: int) -> Told:
        """A late request reaches the provider; nobody waits for its answer any more."""
        if index >= len(self.network.late):
            return None
        order_id, instruction = self.network.late.pop(index)
        answer = self._provider.serve(order_id, instruction)
        order = self._scene.names.key(order_id)
        return self._scene.told(
            lambda: (
                f"a late request to {instruction.operation} {order} reaches the provider: {answer.outcome}"
            )
        )

    def commit(self) -> Told:
        """The gateway commits its progress."""
        moved = 0
        for partition, progress in self.progress.items():
            position = progress.uncommitted()
            if position is not None:
                place = TopicPartition(PAYMENT_INSTRUCT.name, partition)
                self._look(partition, position)
                self._scene.broker.commit(real.GROUP, tuple(place), position)
                progress.commit(position)
                moved += 1
        return self._scene.told(lambda: "the gateway commits its offsets") if moved else None

    def _look(self, partition: int, position: int) -> None:
        """What is committed is finished: a record behind it would be forgotten with its process."""
        for handling in self.handlings.values():
            record = handling.record
            if (
                handling.generation == self.generation
                and record.partition == partition
                and record.offset < position
            ):
                self.violations.append(f"what is committed is finished: {self._scene.name_of(record)} is not")

    def crash(self) -> Told:
        """The gateway dies and starts again; requests that it has sent may still arrive."""
        for handling in self.handlings.values():
            if handling.generation == self.generation and handling.unit.at == "provider: asked":
                message = real._read(handling.record)  # what is on the wire
                self.network.late.append((message[0], message[1].data))
        self._drop()
        self.inbox.close()
        self.generation += 1
        self._start()
        return self._scene.told(lambda: "the gateway dies, its requests still on the wire, and starts again")

    def _drop(self) -> None:
        for number, handling in list(self.handlings.items()):
            if handling.generation == self.generation:
                handling.unit.drop()
                del self.handlings[number]

    def succeed(self) -> Told:
        """Another gateway takes over, while this one goes on with what it has in hand."""
        self.inbox.close()
        self.generation += 1
        self._start()
        return self._scene.told(lambda: "another gateway takes over; the first one has not heard of it")

    def busy(self) -> bool:
        """Say whether anything waits or is under way."""
        return bool(self.inbox.waiting or self.handlings or self.network.late)

    def signature(self) -> int:
        """Return a number for where the gateway stands."""
        stages = tuple((number, len(each.unit.at)) for number, each in self.handlings.items())
        return hash((self.generation, tuple(self.inbox.cursors.values()), stages, len(self.network.late)))


def _course(at: str, unit: Unit, mode: str) -> str:
    if at == "":
        return "goes out to the provider"
    if at == "provider: asked":
        if mode == OK:
            return "is carried out by the provider"
        return "times out" + (", and will arrive late" if mode == LATE else " and is lost")
    if at == "provider: answered":
        return "is answered" if mode == OK else "was carried out, but its answer is lost"
    return "is done" if unit.done else "goes on"
