"""Runs the outbox source as a process, with its metrics over HTTP and its answers to health pings."""

import asyncio
import os
import signal
import socket

from connectors.health.responder import PingResponder
from connectors.outbox.row import SOURCE
from connectors.outbox.source import OutboxSource
from connectors.runtime.process import run_with_metrics
from topics.settings import PortOffset, Settings


def run(settings: Settings) -> None:
    """Publish until SIGTERM or SIGINT; the batch in hand is ended."""
    run_with_metrics(settings, PortOffset.OUTBOX_METRICS, _until_signalled(settings))


async def _until_signalled(settings: Settings) -> None:
    source = OutboxSource(settings)
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, source.stop)
    instance = f"{socket.gethostname()}-{os.getpid()}"
    async with PingResponder(
        settings, SOURCE, instance, healthy=lambda: source.healthy, details=lambda: source.details
    ):
        await source.run()
