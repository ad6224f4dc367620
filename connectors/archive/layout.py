"""Where a record lies in the archive: `topic=T/date=YYYY-MM-DD/PPPPP-OOOOOOOOOOOOOOOOOOOO.parquet`.

A file holds a stretch of one partition, all of one day (UTC, by the records' timestamps), and is named after
its first offset.
"""

import re
from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

from connectors.runtime.record import Record

DAY_MS = 86_400_000
_EPOCH = date(1970, 1, 1)
_DAYS = (date.max - _EPOCH).days

_PATH = re.compile(
    r"topic=(?P<topic>[^/]+)/date=(?P<date>\d{4}-\d\d-\d\d)/(?P<partition>\d{5})-(?P<first>\d{20})\.parquet"
)


class Stretch(NamedTuple):
    """A file of the archive. Sorts in the order of a topic's partitions and offsets."""

    topic: str
    partition: int
    first: int
    date: str

    @property
    def path(self) -> str:
        """Return the file's path below the archive's root."""
        return f"{folder(self.topic)}/date={self.date}/{self.partition:05d}-{self.first:020d}.parquet"


def folder(topic: str) -> str:
    """Return the folder of a topic."""
    return f"topic={topic}"


def stretch_of(path: str) -> Stretch | None:
    """Return what a path holds, None where it is no file of the archive."""
    found = _PATH.fullmatch(path)
    if found is None:
        return None
    return Stretch(found["topic"], int(found["partition"]), int(found["first"]), found["date"])


def first_day(records: Sequence[Record]) -> tuple[Stretch, Sequence[Record]]:
    """Return the file that begins with the first record, and the records up to the next change of day."""
    head = records[0]
    day = head.timestamp // DAY_MS
    same = next(
        (place for place, record in enumerate(records) if record.timestamp // DAY_MS != day), len(records)
    )
    return Stretch(head.topic, head.partition, head.offset, _date(day)), records[:same]


def _date(day: int) -> str:
    # A sender may give any 64 bits for a time: what is no date lies under the last one.
    return (_EPOCH + timedelta(days=day) if 0 <= day < _DAYS else date.max).isoformat()
