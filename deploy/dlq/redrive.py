"""Sending dead letters again, to the topic that they failed in, once; or discarding them.

Twice redriven is once applied, by two means. A letter that is marked is not sent again (`marks`). And should
two people redrive the same letter at the same moment, both records carry the message's own `event_id`: every
handler answers a message that it has answered before with nothing, so the second changes nothing.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import msgspec

from deploy.dlq.letter import EDITED_BY, REDRIVE_OF, Letter, distinct, read_letter
from deploy.dlq.marks import Mark, State, encode, read_marks
from deploy.errors import CommandError
from deploy.records.position import Beginning, End
from deploy.records.reader import Reader
from deploy.records.sender import Sender
from deploy.records.span import Span
from topics.dead_letter import VALUE_OMITTED
from topics.registry import DEAD_LETTERS, REDRIVES, TOPICS
from topics.settings import Settings


@dataclass(frozen=True)
class Outcome:
    """What was done: ids sent (or discarded), ids that were so already, and ids with the reason why not."""

    sent: list[str]
    already: list[str]
    refused: dict[str, str]


def load(settings: Settings, domain: str | None = None) -> list[Letter]:
    """Return a domain's dead letters, or all, oldest first; raises CommandError for an unknown domain."""
    if domain is not None and domain not in DEAD_LETTERS:
        raise CommandError(f"domain {domain!r} is none of {', '.join(DEAD_LETTERS)}", 2)
    topics = [DEAD_LETTERS[domain]] if domain else list(DEAD_LETTERS.values())
    with Reader(settings) as reader:
        spans = reader.spans([topic.name for topic in topics], Beginning())
        letters = distinct([read_letter(record) for record in reader.read_in_time_order(spans)])
        marks = _marks(reader)
    return [replace(letter, mark=marks.get(letter.id)) for letter in letters]


def redrive(
    settings: Settings, letters: Iterable[Letter], by: str, edited: Mapping[str, bytes] | None = None
) -> Outcome:
    """Send the letters again, each marked before and after, so that none goes out twice.

    `edited` has values to send instead of the original ones, by the letters' ids. Letters already redriven or
    discarded, letters without a source topic of the registry, and letters that had to leave their value out
    are left and named.
    """
    edited = edited or {}
    outcome = Outcome([], [], {})
    with Reader(settings) as reader, Sender(settings) as sender:
        marks = _marks(reader)
        out: dict[str, Mark] = {}
        for letter in letters:
            mark = marks.get(letter.id)
            topic = letter.source_topic
            if letter.source in out and mark is None and letter.id not in edited:
                # Sent with the letter that another consumer has of the same record: they all read it again.
                _mark(sender, letter.id, out[letter.source])
                outcome.sent.append(letter.id)
            elif topic is None or topic not in TOPICS:
                outcome.refused[letter.id] = f"came from {topic or 'no topic'}: there is nowhere to send it"
            elif letter.record.header(VALUE_OMITTED) is not None and letter.id not in edited:
                outcome.refused[letter.id] = f"was too large for its letter; it still lies at {letter.source}"
            elif mark is not None and mark.state is State.DISCARDED:
                outcome.refused[letter.id] = f"was discarded by {mark.by or 'somebody'}: {mark.note}"
            elif mark is not None and mark.state is State.DONE:
                outcome.already.append(letter.id)
            elif mark is not None and _went_out(reader, letter, mark):
                _mark(sender, letter.id, with_state(mark, State.DONE))
                outcome.already.append(letter.id)
            else:
                mark = Mark(State.STARTED, topic, _ends(reader, topic), _now(), by)
                _mark(sender, letter.id, mark)
                value, headers = letter.record.value, letter.redrive_headers
                if letter.id in edited:
                    value, headers = edited[letter.id], (*headers, (EDITED_BY, by.encode()))
                sender.send(topic, letter.record.key, value, headers)
                sender.flush()
                done = with_state(mark, State.DONE)
                _mark(sender, letter.id, done)
                if letter.source_offset is not None:
                    out[letter.source] = done
                outcome.sent.append(letter.id)
    return outcome


def discard(settings: Settings, letters: Iterable[Letter], by: str, note: str) -> Outcome:
    """Mark the letters as not to be sent; those that were redriven already are left and named."""
    outcome = Outcome([], [], {})
    with Reader(settings) as reader, Sender(settings) as sender:
        marks = _marks(reader)
        for letter in letters:
            mark = marks.get(letter.id)
            if mark is not None and mark.state is State.DISCARDED:
                outcome.already.append(letter.id)
            elif mark is not None:
                outcome.refused[letter.id] = "was sent again already"
            else:
                made = Mark(State.DISCARDED, letter.source_topic or "", {}, _now(), by, note)
                _mark(sender, letter.id, made)
                outcome.sent.append(letter.id)
    return outcome


def with_state(mark: Mark, state: State) -> Mark:
    """Return the mark in another state."""
    return msgspec.structs.replace(mark, state=state)


def _now() -> int:
    return time.time_ns() // 1_000_000


def _mark(sender: Sender, letter: str, mark: Mark) -> None:
    sender.send(REDRIVES.name, letter.encode(), encode(mark))
    sender.flush()


def _marks(reader: Reader) -> dict[str, Mark]:
    return read_marks(reader.read(reader.spans([REDRIVES.name], Beginning())))


def _ends(reader: Reader, topic: str) -> dict[int, int]:
    return {span.partition: span.end for span in reader.spans([topic], End())}


def _went_out(reader: Reader, letter: Letter, mark: Mark) -> bool:
    """Tell whether a redrive that was started has its record in the topic."""
    now = reader.spans([mark.topic], Beginning())
    spans = [
        Span(one.topic, one.partition, max(one.start, mark.ends.get(one.partition, 0)), one.end)
        for one in now
    ]
    return any(record.header(REDRIVE_OF) == letter.id for record in reader.read(spans))
