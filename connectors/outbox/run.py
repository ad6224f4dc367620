"""Runs the outbox source as a process, with its metrics over HTTP and its answers to health pings."""

import asyncio
import os
import signal
import socket

import uvloop
from prometheus_client import start_http_server

from connectors.health.responder import PingResponder
from connectors.outbox.row import SOURCE
from connectors.outbox.source import OutboxSource
from topics.settings import PortOffset, Settings


def run(settings: Settings) -> None:
    """Publish until SIGTERM or SIGINT; the batch in hand is ended."""
    server, thread = start_http_server(settings.port(PortOffset.OUTBOX_METRICS), settings.host)
    try:
        uvloop.run(_until_signalled(settings))
    finally:
        server.shutdown()
        thread.join()


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
