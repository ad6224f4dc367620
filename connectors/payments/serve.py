"""Serving the gateway, with its answers to health pings."""

import asyncio
import os
import signal
import socket

import structlog
import uvloop

from connectors.health.responder import PingResponder
from connectors.payments.gateway import SOURCE, Gateway
from connectors.payments.http_provider import HttpProvider
from connectors.payments.settings import GatewaySettings
from connectors.runtime.collector import collect_seldom
from topics.settings import Settings

_log = structlog.get_logger()


def serve(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM; then finish what is under way.

    Raises aiokafka's errors where the broker cannot be reached.
    """
    collect_seldom()
    uvloop.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    rules = GatewaySettings()
    async with HttpProvider(settings.payment_provider_url, rules, settings.provider_key) as provider:
        gateway = Gateway(settings, rules, provider)
        instance = f"{socket.gethostname()}-{os.getpid()}"
        async with PingResponder(settings, SOURCE, instance, details=gateway.details):
            await gateway.run(stop)
    _log.info("payment gateway stopped")
