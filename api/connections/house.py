"""All connections of a server process: how many of whom, and a look at each of them every second."""

import asyncio
import resource
from collections import Counter
from collections.abc import Sequence
from http import HTTPStatus
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any

import structlog
from prometheus_client import Counter as Metric
from prometheus_client import Gauge

from api.client_address import UNKNOWN
from api.connections.connection import Connection
from api.connections.settings import ConnectionSettings

OPEN = Gauge("api_connections", "Open connections.")
REFUSED = Metric(
    "api_connections_refused_total", "Connections that were refused or cut off, by status.", ["status"]
)

_LOOK_S = 0.5
_TELL_S = 10.0
# Files that a process opens beside its connections: the broker's, the databases', its own.
_OTHER_FILES = 200

_log = structlog.get_logger()


class House:
    """Makes the server's connections, and lets each in or not. `unlimited` networks are not counted."""

    def __init__(
        self, limits: ConnectionSettings, unlimited: Sequence[IPv4Network | IPv6Network] = ()
    ) -> None:
        self.limits = limits
        self._most = min(limits.connections, _open_files() - _OTHER_FILES)
        self._unlimited = tuple(unlimited)
        self._open: set[Connection] = set()
        self._of: Counter[str] = Counter()
        self._looking: asyncio.TimerHandle | None = None
        self._told_at = -_TELL_S
        self._untold: Counter[int] = Counter()

    def __call__(self, **given: Any) -> Connection:
        """Return a new connection, as uvicorn asks for it."""
        return Connection(self, **given)

    def enter(self, connection: Connection) -> HTTPStatus | None:
        """Count a new connection; return as what it is to be refused, where there are too many."""
        address = connection.address
        counted = not self._is_unlimited(address)
        full = None
        if len(self._open) >= self._most:
            full = HTTPStatus.SERVICE_UNAVAILABLE
        elif counted and self._of[address] >= self.limits.connections_per_address:
            full = HTTPStatus.TOO_MANY_REQUESTS
        self._open.add(connection)
        if counted:
            self._of[address] += 1
        OPEN.set(len(self._open))
        if self._looking is None:
            self._later(connection.loop)
        return full

    def leave(self, connection: Connection) -> None:
        """Forget a connection that is gone."""
        if connection not in self._open:
            return
        self._open.discard(connection)
        OPEN.set(len(self._open))
        if connection.address in self._of:
            self._of[connection.address] -= 1
            if not self._of[connection.address]:
                del self._of[connection.address]

    def refused(self, status: HTTPStatus) -> None:
        """Count a refusal, and tell the log of all of some seconds at once."""
        REFUSED.labels(str(status.value)).inc()
        self._untold[status.value] += 1
        now = asyncio.get_running_loop().time()
        if now - self._told_at > _TELL_S:
            _log.warning("connections_refused", statuses=dict(self._untold), open=len(self._open))
            self._told_at = now
            self._untold.clear()

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        self._looking = None
        now = loop.time()
        for connection in list(self._open):
            connection.look(now)
        if self._open:
            self._later(loop)

    def _later(self, loop: asyncio.AbstractEventLoop) -> None:
        self._looking = loop.call_later(_LOOK_S, self._look, loop)

    def _is_unlimited(self, address: str) -> bool:
        if address == UNKNOWN:
            return True
        return any(ip_address(address.partition("/")[0]) in network for network in self._unlimited)


def _open_files() -> int:
    """Return how many files this process may open, after asking for as many as it can get."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        hard = max(soft, 1 << 16)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard
