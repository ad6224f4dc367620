"""Serving the API: one process, uvloop."""

import uvicorn

from api import logs
from api.app import create_app
from api.ops.desk import Desk
from api.settings import ApiSettings
from connectors.runtime.collector import collect_seldom
from topics.settings import PortOffset, Settings

# Open event streams get this long to end by themselves when the process is stopped.
_SHUTDOWN_SECONDS = 3


def run(settings: Settings, limits: ApiSettings | None = None, desk: Desk | None = None) -> None:
    """Serve the API and the shop until the process is told to stop (SIGTERM, SIGINT).

    `desk` is what the ops pages look through dead letters with.
    """
    logs.configure()
    app = create_app(settings, limits, desk=desk)
    collect_seldom()
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port(PortOffset.API),
        loop="uvloop",
        log_config=None,
        access_log=False,
        server_header=False,
        # By itself, uvicorn believes whoever calls from this machine: api.client_address decides.
        proxy_headers=False,
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
    )
