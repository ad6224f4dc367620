"""Reading the archive as if it were topics: merged by time, one file of each partition in memory at once."""

import heapq
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

from connectors.archive.layout import Stretch
from connectors.archive.parquet import read
from connectors.archive.store import ArchiveStore
from connectors.runtime.record import Record


def in_time_order(
    store: ArchiveStore, topics: Sequence[str], wanted: Callable[[Stretch], bool]
) -> Iterator[Record]:
    """Yield the records of the topics' wanted files by timestamp; ties go by topic and partition.

    Each partition's records come in their own order.
    """
    files = (stretch for topic in topics for stretch in store.stretches(topic) if wanted(stretch))
    partitions = [list(chain) for _, chain in groupby(files, key=lambda each: (each.topic, each.partition))]
    chains = (_chained(store, chain) for chain in partitions)
    return heapq.merge(*chains, key=lambda record: (record.timestamp, record.topic, record.partition))


def _chained(store: ArchiveStore, chain: Sequence[Stretch]) -> Iterator[Record]:
    for stretch in chain:
        yield from read(stretch.topic, store.read(stretch))
