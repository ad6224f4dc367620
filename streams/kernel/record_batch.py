"""A record batch as the broker takes it, under the identity of an idempotent producer (KIP-98)."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from aiokafka.record.default_records import DefaultRecordBatchBuilder

from streams.kernel.identity import Identity
from streams.kernel.ports import Headers

UNLIMITED: Final = 2**31 - 1
_SEQUENCES: Final = 0x7FFFFFFF


@dataclass(frozen=True, slots=True)
class RecordBatch:
    """The bytes of a batch, how many records it has, and the sequence number of the batch after it."""

    data: bytes
    count: int
    following: int


def build(
    identity: Identity,
    sequence: int,
    records: Iterable[tuple[bytes | None, bytes | None, Headers]],
    most_bytes: int = UNLIMITED,
) -> RecordBatch:
    """Return a batch of the records from the front, as many as fit into `most_bytes`, and at least one."""
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=0,
        is_transactional=0,
        producer_id=identity.producer_id,
        producer_epoch=identity.epoch,
        base_sequence=sequence,
        batch_size=most_bytes,
    )
    now = time.time_ns() // 1_000_000
    count = 0
    for key, value, headers in records:
        if builder.append(count, timestamp=now, key=key, value=value, headers=list(headers)) is None:
            break
        count += 1
    return RecordBatch(bytes(builder.build()), count, (sequence + count) & _SEQUENCES)
