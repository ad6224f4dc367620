"""The rows of dead letters."""

from datetime import datetime
from typing import NamedTuple

from connectors.postgres.table import Table


class DeadLetterRow(NamedTuple):
    """A record that could not be handled: `dlq_*` is where it lies now, `source_*` where it lay."""

    id: str
    domain: str
    dlq_topic: str
    dlq_partition: int
    dlq_offset: int
    source_topic: str | None
    source_partition: int | None
    source_offset: int | None
    key: str | None
    value: bytes | None
    reason: str
    error: str | None
    stack: str | None
    attempt: int
    headers: str
    failed_at: datetime


DEAD_LETTERS = Table("dead_letters", DeadLetterRow, key=("id",))
