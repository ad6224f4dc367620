"""What a rule is: it is told of each message once, in the order of the topics, and objects."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from deploy.doctor.facts import Facts
from schemas.envelope import Message


@dataclass(frozen=True)
class Told:
    """A message, where it came, and what caused it where that is known."""

    topic: str
    message: Message[Any]
    cause: "Told | None"

    @property
    def key(self) -> str:
        """Return the aggregate's id."""
        return self.message.aggregate_id

    @property
    def data(self) -> Any:
        """Return the topic's own data."""
        return self.message.data


class Rule(Protocol):
    """Watches messages. What it yields is a violation, in words."""

    def take(self, told: Told) -> Iterator[str]:
        """Take a message that was not seen before."""
        ...

    def at_rest(self, facts: Facts) -> Iterator[str]:
        """Look once more when nothing is under way."""
        ...
