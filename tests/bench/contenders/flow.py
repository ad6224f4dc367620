"""The candidate: one real flow in the real worker. `python -m tests.bench.contenders.flow FLOW [INDEX]`."""

import sys

from streams.flows import FLOWS
from streams.worker import run
from topics.settings import Settings

if __name__ == "__main__":
    name = sys.argv[1]
    chosen = [flow for flow in FLOWS if flow.name == name]
    run(Settings(), int(sys.argv[2]) if len(sys.argv) > 2 else None, flows=chosen, app_id=f"bench.{name}")
