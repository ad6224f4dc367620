"""What ends a command, and how a domain declares it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from api.heard import Heard
from topics.topic import Topic


@dataclass(frozen=True)
class Expectation:
    """What ends a command: the first message on `topics`, under the command's key, that `matches`.

    `refuses` says whether that is a refusal: nothing else may be told as a success.
    """

    topics: tuple[Topic[Any], ...]
    matches: Callable[[str, Heard], bool]
    refuses: Callable[[Heard], bool]

    def ends(self, command_id: str, heard: Heard) -> bool:
        """Whether `heard` ends the command."""
        if heard.letter is not None:
            return heard.message.event_id == command_id
        return self.matches(command_id, heard)


Outcomes = Mapping[Topic[Any], Expectation]
"""What a domain's `outcomes.py` declares as OUTCOMES: what ends each command that the API sends."""


def answered(events: tuple[Topic[Any], ...], refusal: Topic[Any]) -> Expectation:
    """Return that a command ends with the event, or the refusal, that it caused."""
    return Expectation((*events, refusal), caused_by, lambda heard: heard.topic is refusal)


def caused_by(command_id: str, heard: Heard) -> bool:
    """Whether `heard` answers the command: one that had to wait is named, since its cause is another."""
    named = getattr(heard.message.data, "command_id", None)
    return (named or heard.message.causation_id) == command_id
