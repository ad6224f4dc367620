"""Serving the API: one process, uvloop."""

from typing import Any

import uvicorn

from api import logs
from api.app import create_app
from api.connections.house import House
from api.connections.settings import ConnectionSettings
from api.ops.desk import Desk
from api.settings import ApiSettings
from connectors.runtime.collector import collect_seldom
from topics.settings import PortOffset, Settings

# Open event streams get this long to end by themselves when the process is stopped.
_SHUTDOWN_SECONDS = 3


def options(limits: ApiSettings, http: ConnectionSettings) -> dict[str, Any]:
    """Return how uvicorn is to serve the application: every client within its limits."""
    return {
        "http": House(http, (*limits.trusted_proxies, *limits.unlimited_clients)),
        # Nothing here speaks WebSocket, and such a connection would escape the limits.
        "ws": "none",
        "loop": "uvloop",
        "log_config": None,
        "access_log": False,
        "server_header": False,
        # By itself, uvicorn believes whoever calls from this machine: api.client_address decides.
        "proxy_headers": False,
        "timeout_keep_alive": http.idle_seconds,
        "timeout_graceful_shutdown": _SHUTDOWN_SECONDS,
    }


def run(settings: Settings, limits: ApiSettings | None = None, desk: Desk | None = None) -> None:
    """Serve the API and the shop until the process is told to stop (SIGTERM, SIGINT).

    `desk` is what the ops pages look through dead letters with.
    """
    logs.configure()
    limits = limits or ApiSettings()
    app = create_app(settings, limits, desk=desk)
    collect_seldom()
    uvicorn.run(
        app, host=settings.host, port=settings.port(PortOffset.API), **options(limits, ConnectionSettings())
    )
