"""Where a partition may be committed while its records finish out of order."""


class Progress:
    """One partition: records begin in order and finish in any."""

    def __init__(self) -> None:
        self._open: dict[int, None] = {}
        self._next = -1
        self._committed = -1

    def begin(self, offset: int) -> None:
        """Note that the record at `offset` is under way."""
        self._open[offset] = None
        self._next = offset + 1

    def finish(self, offset: int) -> None:
        """Note that the record at `offset` is done."""
        del self._open[offset]

    @property
    def position(self) -> int:
        """Return the lowest unfinished offset, or the one after the last; -1 before the first record."""
        return next(iter(self._open), self._next)

    def uncommitted(self) -> int | None:
        """Return the position where it has moved since `commit`, or None."""
        return self.position if self.position > self._committed else None

    def commit(self, position: int) -> None:
        """Note what the broker knows."""
        self._committed = position
