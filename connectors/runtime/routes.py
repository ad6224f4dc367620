"""Which projection reads a topic: by its name, or by a pattern that it matches."""

import re
from collections.abc import Sequence
from typing import Generic, TypeVar

from connectors.runtime.projection import AnyProjection

R = TypeVar("R")

PATTERN = "^"
"""A topic's name that begins with this is a regular expression, as Kafka's clients have it."""


class Routes(Generic[R]):
    """The projections of a sink by topic. Raises ValueError where two read the same topic."""

    def __init__(self, projections: Sequence[AnyProjection[R]]) -> None:
        self._known = {each.topic.name: each for each in projections}
        if len(self._known) != len(projections):
            raise ValueError("two projections of one sink read the same topic")
        self._patterns = [
            (re.compile(name), each) for name, each in self._known.items() if name.startswith(PATTERN)
        ]

    @property
    def topics(self) -> list[str]:
        """Return the names and patterns to subscribe to."""
        return sorted(self._known)

    def of(self, topic: str) -> AnyProjection[R]:
        """Return the topic's projection, by name before pattern. Raises LookupError where none reads it."""
        found = self._known.get(topic)
        if found is None:
            found = next((each for pattern, each in self._patterns if pattern.search(topic)), None)
            if found is None:
                raise LookupError(f"no projection reads {topic}")
            self._known[topic] = found
        return found
