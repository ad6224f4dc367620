"""What all actors of a simulation share: the broker, the time, and the story that is being told."""

from collections.abc import Callable
from dataclasses import dataclass, field

from connectors.runtime.record import Record
from tests.simulation.broker import Broker
from tests.simulation.names import Names

Choice = tuple[str | int, ...]
"""A step that the scheduler may choose: the move's name and what it is about. Plain data."""

Told = str | None
"""What happened, in words (empty when no story is told); None where the step is not possible now."""

START_MS = 1_700_000_000_000


@dataclass
class Scene:
    """The stage. `now` is the virtual time in ms; `telling` makes moves describe themselves."""

    broker: Broker
    telling: bool = False
    now: int = START_MS
    names: Names = field(default_factory=Names)

    def told(self, words: Callable[[], str]) -> str:
        """Return the words where a story is told; making them costs more than many a step."""
        return words() if self.telling else ""

    def name_of(self, record: Record) -> str:
        """Return a record in words."""
        return f"{self.names.topic(record.topic)} of {self.names.key(record.key)}"
