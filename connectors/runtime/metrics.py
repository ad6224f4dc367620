"""What a sink connector counts, for Prometheus."""

import time
from collections import Counter as Tally
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

from aiokafka import TopicPartition
from prometheus_client import Counter, Gauge, Histogram, Info

from connectors.runtime.sink import Entry

RECORDS = Counter("ecommerce_sink_records", "Records written to the view.", ["sink", "topic"])
ROWS = Counter("ecommerce_sink_rows", "Rows, documents or values that the records became.", ["sink"])
BATCHES = Counter("ecommerce_sink_batches", "Batches written to the view.", ["sink"])
BATCH_RECORDS = Histogram(
    "ecommerce_sink_batch_records",
    "Records per batch.",
    ["sink"],
    buckets=(1, 5, 20, 100, 500, 1000, 2000, 5000, 10_000),
)
BATCH_LIMIT = Gauge("ecommerce_sink_batch_limit", "Records that the next batch may hold.", ["sink"])
FLUSH_SECONDS = Histogram("ecommerce_sink_flush_seconds", "Time that a batch took to be durable.", ["sink"])
REFUSED = Counter("ecommerce_sink_dead_letters", "Records sent to the dead letters.", ["sink", "reason"])
RETRIES = Counter("ecommerce_sink_retries", "Batches put off because the server was away.", ["sink"])
LAG = Gauge("ecommerce_sink_lag_records", "Records not yet written.", ["sink", "topic", "partition"])
LAG_SECONDS = Gauge(
    "ecommerce_sink_lag_seconds", "Age of the oldest record read and not yet written.", ["sink"]
)
UP = Gauge("ecommerce_sink_up", "1 while the view's server takes batches, else 0.", ["sink"])
PAUSED = Gauge(
    "ecommerce_sink_paused", "1 while partitions are paused as the server does not keep up.", ["sink"]
)
LAST_ERROR = Info("ecommerce_sink_last_error", "What the view's server said when it last failed.", ["sink"])
LAST_ERROR_AT = Gauge("ecommerce_sink_last_error_seconds", "When it last failed, Unix time.", ["sink"])

_LONGEST_ERROR = 200


def wrote(sink: str, entries: Sequence[Entry[Any]], records: int, seconds: float) -> None:
    """Count a batch that is durable."""
    FLUSH_SECONDS.labels(sink).observe(seconds)
    BATCHES.labels(sink).inc()
    BATCH_RECORDS.labels(sink).observe(records)
    # Lists, not generators: they take half the time, and a batch has thousands of entries.
    ROWS.labels(sink).inc(sum([len(entry.rows) for entry in entries]))
    for topic, count in Tally([entry.record.topic for entry in entries]).items():
        RECORDS.labels(sink, topic).inc(count)


def away(sink: str, error: str) -> None:
    """Count a batch that is put off, and keep why."""
    RETRIES.labels(sink).inc()
    UP.labels(sink).set(0)
    LAST_ERROR.labels(sink).info({"error": error[:_LONGEST_ERROR]})
    LAST_ERROR_AT.labels(sink).set(time.time())


def lag(sink: str, behind: Iterable[tuple[TopicPartition, int]], oldest_ms: int | None) -> None:
    """Tell how far the view is behind: records per partition, and the age of the oldest one in hand."""
    for partition, records in behind:
        LAG.labels(sink, partition.topic, partition.partition).set(records)
    LAG_SECONDS.labels(sink).set(0.0 if oldest_ms is None else max(0.0, time.time() - oldest_ms / 1000))


def forget_lag(sink: str, partition: TopicPartition) -> None:
    """Say nothing any more of a partition that is another member's."""
    with suppress(KeyError):
        LAG.remove(sink, partition.topic, str(partition.partition))
