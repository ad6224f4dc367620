"""Where a replay's records come from: a recorded file, or topics."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from deploy.records.archive import Archive
from deploy.records.position import AtTime, Beginning, Position
from deploy.records.reader import Reader
from deploy.records.record import Record
from deploy.records.recording import read_recording
from deploy.records.span import Span
from deploy.tap.selection import select
from topics.settings import Settings


@dataclass(frozen=True)
class Stretch:
    """Which records of the source: positions, keys (all where empty), and at most how many."""

    start: Position = field(default_factory=Beginning)
    end: Position | None = None
    keys: frozenset[bytes] = frozenset()
    limit: int | None = None


def holds(stretch: Stretch, record: Record) -> bool:
    """Tell whether a recorded record lies between the stretch's times and has one of its keys.

    Offsets say nothing about a file, whose partitions may be parts of their topics.
    """
    after = not isinstance(stretch.start, AtTime) or record.timestamp >= stretch.start.timestamp
    before = not isinstance(stretch.end, AtTime) or record.timestamp < stretch.end.timestamp
    return after and before and (not stretch.keys or record.key in stretch.keys)


def from_file(path: Path, stretch: Stretch) -> Iterator[Record]:
    """Yield a recording's records in their order. Raises CommandError where it is no recording."""
    return (record for record in read_recording(path) if holds(stretch, record))


def from_archive(url: str, then: Settings | None, pattern: str, stretch: Stretch) -> Iterator[Record]:
    """Yield an archive's records by time; with settings, their topics' later ones too.

    Raises CommandError where the archive cannot be read or has no such topic.
    """
    archive = Archive(url)
    topics = select([pattern], archive.topics())
    if then is None:
        records = archive.read(topics, stretch.start, stretch.end)
    else:
        records = archive.then_topics(then, topics, stretch.start, stretch.end)
    return (record for record in records if not stretch.keys or record.key in stretch.keys)


def spans_of(settings: Settings, patterns: list[str], stretch: Stretch) -> list[Span]:
    """Return what there is to read now. Raises CommandError for a topic that is not there."""
    with Reader(settings) as reader:
        known = [name for name in reader.topics() if not name.startswith("__")]
        return reader.spans(select(patterns, known), stretch.start, stretch.end)


def from_topics(settings: Settings, spans: list[Span], keys: frozenset[bytes]) -> Iterator[Record]:
    """Yield the spans' records merged by time."""
    with Reader(settings) as reader:
        for record in reader.read_in_time_order(spans):
            if not keys or record.key in keys:
                yield record
