"""What the ops pages need of dead letters; who starts the API gives it (`deploy.dlq.desk`).

It reads the topics themselves, not their view: letters are seen even where the sinks are what failed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Letter:
    """A dead letter in a list: what failed, where it lay, and what became of it; `failed_at` in ms.

    `consumers` are all that could not handle the record: one record is one letter here.
    """

    id: str
    domain: str
    reason: str
    error: str
    source: str
    key: str | None
    attempt: int
    failed_at: int
    standing: str
    by: str
    note: str
    consumers: tuple[str, ...] = ()


@dataclass(frozen=True)
class OpenLetter:
    """A letter opened: its headers, its stack, its content as people read it.

    `text` is the message to edit, None where there is nothing to send.
    """

    letter: Letter
    headers: dict[str, str]
    stack: str
    content: str
    text: str | None


@dataclass(frozen=True)
class Outcome:
    """What was done: how many letters, how many were so already, and why others were left, by id."""

    done: int = 0
    already: int = 0
    refused: dict[str, str] = field(default_factory=dict)


class Desk(Protocol):
    """Dead letters to look through. All methods wait for the broker, and raise Problems (404, 422, 503)."""

    def letters(self, domain: str | None, reason: str | None) -> Sequence[Letter]:
        """Return the letters of a domain and with a reason (all where None), the newest first."""

    def open(self, identity: str) -> OpenLetter:
        """Return one letter whole."""

    def redrive(self, ids: Sequence[str], by: str) -> Outcome:
        """Send letters again as they were."""

    def redrive_edited(self, identity: str, text: str, by: str) -> Outcome:
        """Send one letter again with an edited message."""

    def discard(self, ids: Sequence[str], by: str, note: str) -> Outcome:
        """Mark letters as not to be sent."""
