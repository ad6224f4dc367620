"""Runs the toy flow as a worker process: `python -m tests.integration.kernel.toy_worker APP_ID [INDEX]`."""

import sys

from streams.worker import run
from tests.topology.kernel.toy import FLOW
from topics.settings import Settings

if __name__ == "__main__":
    run(Settings(), int(sys.argv[2]) if len(sys.argv) > 2 else None, flows=[FLOW], app_id=sys.argv[1])
