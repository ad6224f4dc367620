"""What every output format does: take rows one by one, then finish."""

from typing import Protocol

from deploy.records.record import Record
from deploy.tap.decoding import Row


class Writer(Protocol):
    """Takes records with their rows."""

    def write(self, record: Record, row: Row) -> None:
        """Take one record."""

    def close(self) -> None:
        """Finish the output; what was written is complete and readable after it."""
