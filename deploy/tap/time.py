"""What `--from` and `--until` mean by a time: when a record was written, or what a field of it says."""

from typing import Any

from deploy.records.position import AtTime, Beginning, Position
from deploy.tap.decoding import Row

WRITTEN = "timestamp"
"""The broker's own time of a record, by which it finds records without reading the others."""


class Within:
    """Tells whether a field's time (ms since the epoch) is within bounds, the second one excluded.

    A record without the field is not; `lacking` counts those.
    """

    def __init__(self, field: str, begin: Position, end: Position | None) -> None:
        self._path = field.split(".")
        self._begin = begin.timestamp if isinstance(begin, AtTime) else None
        self._end = end.timestamp if isinstance(end, AtTime) else None
        self.lacking = 0

    def __call__(self, row: Row) -> bool:
        """Tell whether the row's time is within."""
        at: Any = row
        for name in self._path:
            at = at.get(name) if isinstance(at, dict) else None
        if not isinstance(at, int) or isinstance(at, bool):
            self.lacking += 1
            return False
        return (self._begin is None or at >= self._begin) and (self._end is None or at < self._end)


def read_from(position: Position) -> Position:
    """Return where to begin to read for a field's time: the topics are not sorted by it."""
    return Beginning() if isinstance(position, AtTime) else position
