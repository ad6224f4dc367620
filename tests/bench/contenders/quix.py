"""Baseline: the step in Quix Streams, its RocksDB state, JSON, defaults. A script in its own environment.

`python quix.py STEP PREFIX PARTITIONS DATA_DIR`, with this folder on the path and the broker in
`BENCH_KAFKA`, as librdkafka's options in JSON.
"""

import json
import os
import sys
import time
from typing import Any

from plain import STEPS  # type: ignore[import-not-found] # run as a script, beside it
from quixstreams import Application  # type: ignore[import-not-found] # in an environment of its own
from quixstreams.kafka import ConnectionConfig  # type: ignore[import-not-found] # same
from quixstreams.models import TopicConfig  # type: ignore[import-not-found] # same


def main() -> None:
    step, prefix, partitions, directory = sys.argv[1:5]
    decide = STEPS[step]
    app = Application(
        broker_address=ConnectionConfig.from_librdkafka_dict(json.loads(os.environ["BENCH_KAFKA"])),
        consumer_group=prefix,
        auto_offset_reset="earliest",
        state_dir=directory,
        loglevel="WARNING",
    )
    config = TopicConfig(num_partitions=int(partitions), replication_factor=1)
    names = ("answers", "levels")
    source = app.topic(f"{prefix}-in", value_deserializer="json", config=config)
    sinks = {name: app.topic(f"{prefix}-{name}", value_serializer="json", config=config) for name in names}

    def now() -> int:
        return time.time_ns() // 1_000_000

    def run(value: Any, state: Any) -> Any:
        return decide(value, state, now)

    frame = app.dataframe(source).apply(run, stateful=True, expand=True)
    for name in names:
        chosen = frame[frame.apply(lambda out, name=name: out[0] == name)]
        chosen.apply(lambda out: out[2]).to_topic(sinks[name], key=lambda fields: fields["aggregate_id"])
    app.run()


if __name__ == "__main__":
    main()
