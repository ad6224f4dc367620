"""An order's events in the order of their versions, though they travel on several topics."""

from collections.abc import Iterable

from api.order.models import OrderEvent, Progress

_FIRST = frozenset({Progress.PLACED, Progress.RETURNED})


class Sequence:
    """Holds an event back while an earlier one may still come. Versions of an order grow by one.

    `last` and `status` are those of the event that was told last.
    """

    def __init__(self, last: int = 0, status: Progress | None = None) -> None:
        self.last = last
        self.status = status
        self._held: dict[int, OrderEvent] = {}

    @property
    def incomplete(self) -> bool:
        """Whether something is held back."""
        return bool(self._held)

    def offer(self, event: OrderEvent) -> list[OrderEvent]:
        """Take an event, and return what can be told now."""
        if event.version > self.last:
            self._held[event.version] = event
        ready = []
        while self._held and self._follows(first := self._held[min(self._held)]):
            ready.append(self._told(first))
        return ready

    def settle(self, known: Iterable[OrderEvent]) -> list[OrderEvent]:
        """Take what the views know, and return everything: what is still missing was missed."""
        self._held = {event.version: event for event in known if event.version > self.last} | self._held
        return [self._told(self._held[version]) for version in sorted(self._held)]

    def _follows(self, event: OrderEvent) -> bool:
        return event.version == self.last + 1 if self.last else event.status in _FIRST

    def _told(self, event: OrderEvent) -> OrderEvent:
        self.last, self.status = event.version, event.status
        return self._held.pop(event.version)
