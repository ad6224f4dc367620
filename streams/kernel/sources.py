"""What a flow's source topics are now, and whether a stored position is one in them. Pure.

A position belongs to the topic that it was stored for, which its id tells, not its name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto


class Standing(Enum):
    """What a stored position is worth."""

    GOOD = auto()
    ANEW = auto()
    """The topic was deleted and made anew: it is to be read from its beginning."""
    CUT = auto()
    """The topic is the same and ends before the position: the broker lost its end."""


@dataclass(frozen=True)
class Sources:
    """The ids of source topics, and the ends (exclusive) of their partitions, as far as they are known."""

    ids: Mapping[str, str] = field(default_factory=dict)
    ends: Mapping[tuple[str, int], int] = field(default_factory=dict)

    def standing(self, topic: str, partition: int, position: int, topic_id: str | None) -> Standing:
        """Return what a position (of the last applied record) is worth that was stored for `topic_id`.

        States of older releases have no id: there, a position that the topic does not reach tells that it
        is another one.
        """
        now = self.ids.get(topic)
        if now is not None and topic_id is not None and topic_id != now:
            return Standing.ANEW
        if now is None or position < self.ends.get((topic, partition), position + 1):
            return Standing.GOOD
        return Standing.ANEW if topic_id is None else Standing.CUT
