"""The API's log: one JSON object per line, on standard output."""

import logging
import sys
import time
from collections import Counter

import structlog


def configure() -> None:
    """Write logs as JSON lines.

    Tracebacks are plain: local variables may hold a password or a card, and neither belongs into a log.
    """
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(stream=sys.stdout, level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")


class Seldom:
    """Lets one of many alike lines through in so many seconds, and counts the others."""

    def __init__(self, seconds: float, kinds: int = 1_000) -> None:
        self._seconds = seconds
        self._kinds = kinds
        self._told: dict[object, float] = {}
        self._untold: Counter[object] = Counter()

    def tells(self, kind: object) -> int:
        """Return how many of its kind a line tells of, itself included; 0 where it is too early for one."""
        now = time.monotonic()
        self._untold[kind] += 1
        if now - self._told.get(kind, -self._seconds) < self._seconds:
            return 0
        if len(self._told) > self._kinds:
            self._told.clear()
        self._told[kind] = now
        return self._untold.pop(kind)
