"""Marks of what became of dead letters, in a compacted topic: what was sent again is not sent twice.

A mark `started` is written before the record is sent, with the end of its topic at that moment; `done`
after it. Who finds `started` alone (a crash came between) looks for the record behind that end.
A letter that nobody will send is `discarded`; it stays in its topic.
"""

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from deploy.records.record import Record


class State(StrEnum):
    """How far a redrive came, or that there will be none."""

    STARTED = "started"
    DONE = "done"
    DISCARDED = "discarded"


class Mark(msgspec.Struct, frozen=True):
    """What became of one letter, when (ms), by whom, and why.

    Of a redrive: to which topic, and which offsets by partition were its ends.
    """

    state: State
    topic: str
    ends: dict[int, int]
    at: int
    by: str = ""
    note: str = ""


def encode(mark: Mark) -> bytes:
    """Return the mark as JSON."""
    return msgspec.json.encode(mark)


def read_marks(records: Iterable[Record]) -> dict[str, Mark]:
    """Return the last mark of each letter by its id."""
    marks: dict[str, Mark] = {}
    for record in records:
        if record.key_text is not None and record.value is not None:
            try:
                marks[record.key_text] = msgspec.json.decode(record.value, type=Mark)
            except msgspec.MsgspecError:
                continue  # nobody's mark: one odd record must not hide all letters
    return marks
