"""A connector as a process: its work in an event loop, its metrics over HTTP beside it."""

from collections.abc import Coroutine
from typing import Any

import uvloop
from prometheus_client import start_http_server

from connectors.runtime.collector import collect_seldom
from topics.settings import PortOffset, Settings


def run_with_metrics(settings: Settings, metrics: PortOffset, work: Coroutine[Any, Any, None]) -> None:
    """Run `work` to its end, and tell the process's metrics at their port meanwhile.

    Raises OSError where the port is taken, and what `work` raises.
    """
    try:
        server, thread = start_http_server(settings.port(metrics), settings.host)
    except OSError:
        work.close()
        raise
    collect_seldom()
    try:
        uvloop.run(work)
    finally:
        server.shutdown()
        thread.join()
