"""Baseline: a plain Faust agent as Faust's documentation writes one: records, a table, sends, defaults.

`python -m tests.bench.contenders.plain_faust STEP PREFIX PARTITIONS DATA_DIR`
"""

import sys
import time
from typing import Any

import faust

from streams.kernel.broker_credentials import broker_credentials
from tests.bench.contenders.plain import STEPS
from topics.settings import Settings


class Envelope(faust.Record, serializer="json"):
    event_id: str
    event_type: str
    aggregate_id: str
    aggregate_type: str
    aggregate_version: int
    occurred_at: int
    source: str
    correlation_id: str
    causation_id: str | None = None
    tenant_id: str = "main"
    user_id: str | None = None
    data: dict[str, Any] = {}  # noqa: RUF012 - a record's field, not a class's


class TableStore:
    """The table under the names that the step uses."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def get(self, key: str) -> Any:
        return self._table.get(key)

    def set(self, key: str, value: Any) -> None:
        self._table[key] = value


def main() -> None:
    step, prefix, partitions, directory = sys.argv[1:5]
    decide = STEPS[step]
    settings = Settings()
    app = faust.App(
        prefix,
        broker=f"kafka://{settings.kafka_bootstrap}",
        broker_credentials=broker_credentials(settings),
        store="rocksdb://",
        datadir=directory,
        topic_partitions=int(partitions),
        web_enabled=False,
    )
    source = app.topic(f"{prefix}-in", value_type=Envelope, partitions=int(partitions))
    sinks = {
        name: app.topic(f"{prefix}-{name}", value_type=Envelope, partitions=int(partitions))
        for name in ("answers", "levels")
    }
    store = TableStore(app.Table("state", partitions=int(partitions)))

    @app.agent(source)
    async def reserve(stream: Any) -> None:
        async for message in stream:
            for where, key, fields in decide(message.asdict(), store, lambda: time.time_ns() // 1_000_000):
                await sinks[where].send(key=key, value=Envelope(**fields))

    sys.argv = [sys.argv[0], "worker", "-l", "warn"]
    app.main()


if __name__ == "__main__":
    main()
