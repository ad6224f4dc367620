"""What belongs to the request being served: its client, its correlation id and its trace."""

import re
from contextvars import ContextVar
from uuid import UUID

from schemas.envelope import fresh_id

CORRELATION_HEADER = "X-Correlation-Id"

# W3C Trace Context, level 1: version 00, non-zero trace and parent ids.
_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")

correlation_id: ContextVar[str] = ContextVar("correlation_id", default="")
client: ContextVar[str] = ContextVar("client", default="")
"""Who asks, as `api.client_address` counts it; nobody outside of a request."""
traceparent: ContextVar[str | None] = ContextVar("traceparent", default=None)


def accept_correlation_id(given: str | None) -> str:
    """Return the client's correlation id where it is a UUID, as the envelope wants it, else a fresh one."""
    try:
        return str(UUID(given)) if given else fresh_id()
    except ValueError:
        return fresh_id()


def accept_traceparent(given: str | None) -> str | None:
    """Return the client's `traceparent` where it is well formed."""
    return given if given and _TRACEPARENT.fullmatch(given) else None


def record_headers() -> dict[str, str]:
    """Return the headers of a record that this request causes."""
    trace = traceparent.get()
    return {"traceparent": trace} if trace else {}
