"""Serving the simulated provider at its port."""

import uvicorn

from connectors.payments.simulator.app import create_app
from connectors.payments.simulator.disruption import AbortableProtocol
from connectors.runtime.collector import collect_seldom
from topics.settings import PortOffset, Settings


class KeyMissingError(Exception):
    """A provider that anybody could ask is not served."""


def serve(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM.

    The memory is `payment-provider/ledger.sqlite3` under the data directory. Raises SystemExit where the
    port is taken, and KeyMissingError where nobody could show a key.
    """
    key = settings.provider_key
    if key is None:
        raise KeyMissingError(
            "the provider has no key to ask for: set ECOMMERCE_PAYMENT_PROVIDER_KEY here and where the "
            "gateway and the API run, or let `ecommerce up` make one"
        )
    app = create_app(settings.data_dir / "payment-provider" / "ledger.sqlite3", key)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port(PortOffset.PAYMENT_PROVIDER),
        http=AbortableProtocol,
        ws="none",
        loop="uvloop",
        access_log=False,
        # Nobody stands between a client and this server, and nobody reads these headers.
        proxy_headers=False,
        server_header=False,
        date_header=False,
        log_level="warning",
        # Clients keep connections between bursts; an idle one that closes under them costs a retry.
        timeout_keep_alive=75,
        timeout_graceful_shutdown=10,
    )
    collect_seldom()
    uvicorn.Server(config).run()
