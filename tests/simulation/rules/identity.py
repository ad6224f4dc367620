"""An event's id stands for one event: decided a second time, otherwise, it would be another under that id."""

from collections.abc import Iterator
from typing import Any

from deploy.doctor.facts import Facts
from tests.simulation.rules.rule import Told
from topics import registry as t

_ASKED_AGAIN = frozenset({t.INVENTORY_LINE_RESERVED.name, t.INVENTORY_LINE_REJECTED.name})
"""A stock that refused forgets the asking: asked again it may answer otherwise, and is held to the last."""

_OF_NOTHING = 0
"""The version of a refusal by a key that has no state, and so no memory of having refused."""


class Identity:
    """Remembers what each id has stood for."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, int, Any]] = {}

    def again(self, told: Told) -> str | None:
        """Return what is wrong with a message whose id was seen before, if anything."""
        message = told.message
        if told.topic in _ASKED_AGAIN or message.aggregate_version == _OF_NOTHING:
            return None
        now = (told.topic, message.aggregate_version, message.data)
        before = self._known.setdefault(message.event_id, now)
        if before == now:
            return None
        return f"an id stands for one event: {told.topic} of {told.key} is {now[1:]} and was {before[1:]}"

    def at_rest(self, facts: Facts) -> Iterator[str]:
        """Nothing is left to look at."""
        del facts
        yield from ()
