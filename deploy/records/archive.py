"""Reading an archive of topics as the topics themselves are read."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from heapq import merge

from pyarrow import ArrowException

from connectors.archive.layout import Stretch
from connectors.archive.parquet import last_offset
from connectors.archive.reader import in_time_order
from connectors.archive.store import FAILURES, ArchiveStore
from deploy.errors import CommandError
from deploy.records.position import AtOffset, AtTime, Beginning, End, Position
from deploy.records.reader import Reader
from deploy.records.record import Record
from topics.redaction import redacted, shown
from topics.settings import Settings


class Archive:
    """An archive at a folder or a URL. All methods raise CommandError where it cannot be read."""

    def __init__(self, url: str) -> None:
        self._url = url
        try:
            self._store = ArchiveStore(url, make=False)
        except (*FAILURES, ValueError) as error:
            raise self._unreadable(error) from error

    def topics(self) -> list[str]:
        """Return the topics that it holds."""
        try:
            return sorted(self._store.topics())
        except FAILURES as error:
            raise self._unreadable(error) from error

    def read(self, topics: Sequence[str], start: Position, end: Position | None) -> Iterator[Record]:
        """Yield the records between two positions by time; of times, whole days are passed over unread."""
        for position in (start, end):
            if isinstance(position, AtOffset) and position.offset < 0:
                raise CommandError("--archive: offsets cannot be counted from its end", 2)
        if isinstance(start, End):
            return
        try:
            found = in_time_order(
                self._store, topics, lambda stretch: _may_hold(stretch, start, end or End())
            )
            for each in found:
                record = Record(
                    each.topic,
                    each.partition,
                    each.offset,
                    each.timestamp,
                    each.key,
                    each.value,
                    each.headers,
                )
                if _reached(record, start) and not _reached(record, end or End()):
                    yield record
        except (*FAILURES, ArrowException) as error:
            raise self._unreadable(error) from error

    def then_topics(
        self, settings: Settings, topics: Sequence[str], start: Position, end: Position | None
    ) -> Iterator[Record]:
        """Do the same, and go on in each partition with what the broker holds beyond the archive."""
        with Reader(settings) as reader:
            ends = self._ends(topics)
            spans = [
                replace(span, start=max(span.start, ends.get((span.topic, span.partition), 0)))
                for span in reader.spans(topics, start, end)
            ]
            yield from merge(
                self.read(topics, start, end),
                reader.read_in_time_order(spans),
                key=lambda record: record.timestamp,
            )

    def _ends(self, topics: Sequence[str]) -> dict[tuple[str, int], int]:
        last = {
            (each.topic, each.partition): each for topic in topics for each in self._store.stretches(topic)
        }
        return {place: last_offset(self._store.read(stretch)) + 1 for place, stretch in last.items()}

    def _unreadable(self, error: BaseException) -> CommandError:
        return CommandError(f"--archive {shown(self._url)}: {redacted(str(error).partition(chr(10))[0])}")


def _may_hold(stretch: Stretch, start: Position, end: Position) -> bool:
    after = not isinstance(start, AtTime) or stretch.date >= _day(start)
    before = not isinstance(end, AtTime) or stretch.date <= _day(end)
    return after and before and not (isinstance(end, AtOffset) and stretch.first >= end.offset)


def _day(position: AtTime) -> str:
    return datetime.fromtimestamp(position.timestamp / 1000, UTC).strftime("%Y-%m-%d")


def _reached(record: Record, position: Position) -> bool:
    match position:
        case AtOffset(offset):
            return record.offset >= offset
        case AtTime(timestamp):
            return record.timestamp >= timestamp
        case Beginning():
            return True
        case End():
            return False
