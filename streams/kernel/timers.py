"""When a key wants to be woken: a heap per partition, and the record that wakes it."""

import heapq
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

import msgspec

from schemas.envelope import Message, derived_id
from schemas.service import TimerDue
from streams.kernel.flow import Flow
from streams.kernel.ports import Output
from topics.topic import Topic
from topics.wire import encode

S = TypeVar("S", bound=msgspec.Struct)

# Wishes that were taken back stay in the heap until they are on top, or until they are the most of it.
SPARE_ENTRIES = 1_000

Due = tuple[int, bytes]
"""A time in ms and the key that wants to be woken at it."""


class Timers(Generic[S]):
    """Due times of one partition's keys.

    The heap is cleaned lazily: an entry counts only while it is what the key's last state asked for. A timer
    that was fired is not fired again until the state asks for another time.
    """

    def __init__(self, flow: Flow[S]) -> None:
        self._due = flow.due
        self._heap: list[Due] = []
        self._armed: dict[bytes, int] = {}
        self._fired: dict[bytes, int] = {}

    def update(self, states: Iterable[tuple[bytes, S | None]]) -> None:
        """Take the due times of changed states; None is a deleted one."""
        if self._due is None:
            return
        for key, state in states:
            due = None if state is None else self._due(state)
            if due is None:
                self._armed.pop(key, None)
                self._fired.pop(key, None)
            elif self._armed.get(key) != due and self._fired.get(key) != due:
                self._arm(key, due)

    def next_due(self) -> int | None:
        """Return the earliest due time in ms, or None."""
        heap = self._heap
        while heap and self._armed.get(heap[0][1]) != heap[0][0]:
            heapq.heappop(heap)
        return heap[0][0] if heap else None

    def take(self, now: int) -> Iterator[Due]:
        """Take what is due at `now` (ms), earliest first."""
        while (due := self.next_due()) is not None and due <= now:
            _, key = heapq.heappop(self._heap)
            del self._armed[key]
            self._fired[key] = due
            yield due, key

    def put_back(self, taken: Iterable[Due]) -> None:
        """Arm again what was taken but could not be sent."""
        for due, key in taken:
            if self._fired.get(key) == due:
                self._arm(key, due)

    def _arm(self, key: bytes, due: int) -> None:
        self._fired.pop(key, None)
        self._armed[key] = due
        heapq.heappush(self._heap, (due, key))
        if len(self._heap) > 2 * len(self._armed) + SPARE_ENTRIES:
            self._heap = [(wished, name) for name, wished in self._armed.items()]
            heapq.heapify(self._heap)


def timer_record(flow: str, topic: Topic[TimerDue], due: int, key: bytes, now: int) -> Output:
    """Return the record that wakes `key`; its id says for which time, so that a second one is recognised."""
    name = key.decode()
    event_id = derived_id("timer", flow, name, str(due))
    message = Message(
        event_id=event_id,
        event_type=topic.name,
        aggregate_id=name,
        aggregate_type=topic.aggregate,
        aggregate_version=0,
        occurred_at=now,
        source=flow,
        correlation_id=event_id,
        data=TimerDue(due_at=due),
    )
    return Output(topic.name, key, encode(topic, message))
