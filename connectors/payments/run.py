"""Running the gateway and the simulated provider as processes."""

import asyncio
import os
import signal
import socket

import structlog
import uvicorn
import uvloop

from connectors.health.responder import PingResponder
from connectors.payments.gateway import SOURCE, Gateway
from connectors.payments.http_provider import HttpProvider
from connectors.payments.settings import GatewaySettings
from connectors.payments.simulator.app import create_app
from connectors.payments.simulator.disruption import AbortableProtocol
from topics.settings import PortOffset, Settings

_log = structlog.get_logger()


def run_gateway(settings: Settings) -> None:
    """Run the payment gateway until SIGINT or SIGTERM; then finish what is under way.

    Raises aiokafka's errors where the broker cannot be reached.
    """
    uvloop.run(_gateway(settings))


async def _gateway(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    rules = GatewaySettings()
    async with HttpProvider(settings.payment_provider_url, rules) as provider:
        gateway = Gateway(settings, rules, provider)
        instance = f"{socket.gethostname()}-{os.getpid()}"
        async with PingResponder(settings, SOURCE, instance, details=gateway.details):
            await gateway.run(stop)
    _log.info("payment gateway stopped")


def run_simulator(settings: Settings) -> None:
    """Serve the simulated provider at its port until SIGINT or SIGTERM.

    Its memory is `payment-provider/ledger.sqlite3` under the data directory. Raises SystemExit where the
    port is taken.
    """
    app = create_app(settings.data_dir / "payment-provider" / "ledger.sqlite3")
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port(PortOffset.PAYMENT_PROVIDER),
        http=AbortableProtocol,
        ws="none",
        loop="uvloop",
        access_log=False,
        log_level="warning",
        # Clients keep connections between bursts; an idle one that closes under them costs a retry.
        timeout_keep_alive=75,
        timeout_graceful_shutdown=10,
    )
    uvicorn.Server(config).run()
