"""Signs of life that processes give themselves: answers to one ping over Kafka, which the API passes on.

A process that serves its metrics may still do no work; whoever answers a ping has its event loop turning.
"""

import time
from collections.abc import Mapping

import httpx
import msgspec

from deploy.processes.process import NotReadyError
from topics.settings import Settings

_PATIENCE_S = 10.0
_ASKED = 3
_SERVICES = {"gateway": "payment-gateway"}
# Of these several may run, each by its number; of the others the process id tells which it is.
_NUMBERED = "worker-"


class _Instance(msgspec.Struct):
    instance: str
    healthy: bool
    details: dict[str, str] = {}


class _Health(msgspec.Struct):
    services: dict[str, list[_Instance]]


class Signs:
    """What the running processes, by name and id, answered."""

    def __init__(self, settings: Settings, running: Mapping[str, int]) -> None:
        self._url = f"{settings.api_url}/api/v1/services/health"
        self._running = running
        self._heard: _Health | None = None

    def listen(self) -> None:
        """Ask, and again where somebody is missing: a process that has just started may not hear yet.

        Does nothing where the API does not answer: then that is what is wrong.
        """
        deadline = time.monotonic() + _PATIENCE_S
        for _ in range(_ASKED):
            try:
                answer = httpx.get(self._url, timeout=_PATIENCE_S)
            except httpx.HTTPError:
                return
            if not answer.is_success:
                return
            self._heard = msgspec.json.decode(answer.content, type=_Health)
            if not any(self._missing(name) for name in self._running) or time.monotonic() > deadline:
                return

    def asks(self, name: str) -> bool:
        """Tell whether the process is one that answers."""
        return name in self._running

    def require(self, name: str) -> None:
        """Return where the process is well, or none could be asked; raise NotReadyError where it is not."""
        if self._missing(name):
            raise NotReadyError("it runs and does not answer: it is stuck, or cannot reach Kafka")
        found = self._of(name)
        if found is not None and not found.healthy:
            told = "; ".join(f"{what}: {how}" for what, how in found.details.items())
            raise NotReadyError(f"it says that it is not well{f' ({told})' if told else ''}")

    def _missing(self, name: str) -> bool:
        return self._heard is not None and self._of(name) is None

    def _of(self, name: str) -> _Instance | None:
        if self._heard is None:
            return None
        service, number = _SERVICES.get(name, name), str(self._running[name])
        if name.startswith(_NUMBERED):
            service, _, number = name.partition("-")
        answered = self._heard.services.get(service, [])
        return next((each for each in answered if each.instance.endswith(f"-{number}")), None)
