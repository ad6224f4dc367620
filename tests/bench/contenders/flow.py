"""The candidate: one real flow in the real worker. `python -m tests.bench.contenders.flow FLOW [INDEX]`.

`BENCH_MAX_BATCH` bounds its batches, to measure what batching gives.
"""

import os
import sys

from deploy.run.stream_worker import run
from streams.flows import FLOWS
from streams.kernel import lane
from topics.settings import Settings

if __name__ == "__main__":
    name = sys.argv[1]
    chosen = [flow for flow in FLOWS if flow.name == name]
    lane.MAX_BATCH = int(os.environ.get("BENCH_MAX_BATCH", lane.MAX_BATCH))
    run(Settings(), int(sys.argv[2]) if len(sys.argv) > 2 else None, flows=chosen, app_id=f"bench.{name}")
