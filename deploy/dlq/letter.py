"""A dead letter as a command shows it: what failed, where it lay, how often it was tried."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

from deploy.dlq.marks import Mark, State
from deploy.records.record import Headers, Record
from schemas.envelope import derived_id
from topics import dead_letter as names

REDRIVE_OF = "redrive_of"
"""Header of a record that was sent again: the id of the dead letter that it comes from."""

EDITED_BY = "redrive_edited_by"
"""Header of a record that was edited before it was sent again: who did it."""

_LETTER_HEADERS = frozenset(
    {
        names.ID,
        names.REASON,
        names.ERROR,
        names.STACK,
        names.ATTEMPT,
        names.CONSUMER,
        names.SOURCE_TOPIC,
        names.SOURCE_PARTITION,
        names.SOURCE_OFFSET,
        names.FAILED_AT,
        names.TARGET,
        names.CODE,
        names.VALUE_OMITTED,
        names.VALUE_DIGEST,
        names.KEY_OMITTED,
        names.KEY_DIGEST,
        names.HEADERS_OMITTED,
        REDRIVE_OF,
        EDITED_BY,
    }
)


_NUMBER = re.compile(r"-?[0-9]+")
_DIGITS = 19
"""A number with more is none of ours; some thousand digits would be an error."""


class Standing(StrEnum):
    """What became of a letter."""

    WAITING = "waiting"
    REDRIVEN = "redriven"
    DISCARDED = "discarded"


@dataclass(frozen=True)
class Letter:
    """One dead letter; `failed_at` in ms, `source_topic` None where the record came from no topic.

    `mark` is the last one that was made of it.
    """

    record: Record
    id: str
    domain: str
    reason: str
    error: str
    attempt: int
    source_topic: str | None
    source_partition: int | None
    source_offset: int | None
    failed_at: int
    consumer: str = ""
    mark: Mark | None = None

    @property
    def standing(self) -> Standing:
        """Return what became of the letter; a redrive that only began is none yet."""
        if self.mark is None or self.mark.state is State.STARTED:
            return Standing.WAITING
        return Standing.REDRIVEN if self.mark.state is State.DONE else Standing.DISCARDED

    @property
    def source(self) -> str:
        """Return `topic/partition/offset` of the record that failed, or `-`."""
        if self.source_topic is None:
            return "-"
        return f"{self.source_topic}/{self.source_partition}/{self.source_offset}"

    @property
    def own_headers(self) -> Headers:
        """Return the headers that the record had before it failed."""
        return tuple(pair for pair in self.record.headers if pair[0] not in _LETTER_HEADERS)

    @property
    def redrive_headers(self) -> Headers:
        """Return the next attempt's headers: the record's own, the attempt's number, the letter's id."""
        attempt = str(self.attempt + 1).encode()
        return (*self.own_headers, (names.ATTEMPT, attempt), (REDRIVE_OF, self.id.encode()))


def read_letter(record: Record) -> Letter:
    """Return a dead-letter topic's record as a letter. One without an id gets it from where it lies."""
    return Letter(
        record=record,
        id=record.header(names.ID) or derived_id("dead-letter", record.position),
        domain=record.topic.rsplit(".", 1)[-1],
        reason=record.header(names.REASON) or "unknown",
        error=record.header(names.ERROR) or "",
        attempt=_number(record, names.ATTEMPT) or 1,
        source_topic=record.header(names.SOURCE_TOPIC),
        source_partition=_number(record, names.SOURCE_PARTITION),
        source_offset=_number(record, names.SOURCE_OFFSET),
        failed_at=_number(record, names.FAILED_AT) or record.timestamp,
        consumer=record.header(names.TARGET) or record.header(names.CONSUMER) or "",
    )


def causes(letters: Iterable[Letter]) -> list[tuple[Letter, ...]]:
    """Return the letters by what they are about: those of one record's consumers, and of one state, together.

    The record that several could not handle is one cause, in the place of the first letter of it.
    """
    found: dict[tuple[str, ...], list[Letter]] = {}
    for letter in letters:
        about = letter.id if letter.source_topic is None or letter.source_offset is None else letter.source
        found.setdefault((about, letter.standing), []).append(letter)
    return [tuple(of_one) for of_one in found.values()]


def consumers(letters: Iterable[Letter]) -> tuple[str, ...]:
    """Return who could not handle the record, each once."""
    return tuple(dict.fromkeys(letter.consumer for letter in letters if letter.consumer))


def matches(letter: Letter, reason: str | None, ids: tuple[str, ...]) -> bool:
    """Tell whether a letter has the reason (wildcards allowed) and one of the ids (beginnings allowed)."""
    if reason is not None and not fnmatchcase(letter.reason, reason):
        return False
    return not ids or any(letter.id.startswith(one) for one in ids)


def distinct(letters: list[Letter]) -> list[Letter]:
    """Return each letter once: a record that was refused again after a crash is one letter, its first."""
    found: dict[str, Letter] = {}
    for letter in letters:
        found.setdefault(letter.id, letter)
    return list(found.values())


def _number(record: Record, header: str) -> int | None:
    text = record.header(header)
    fits = text is not None and len(text) <= _DIGITS and _NUMBER.fullmatch(text)
    return int(text) if text is not None and fits else None
