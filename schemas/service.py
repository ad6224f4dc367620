"""Service health, and the timers that come back to their own domain as records."""

import msgspec


class ServicePing(msgspec.Struct, frozen=True):
    """Ask every running service to answer; keyed by ping id."""

    ping_id: str


class ServicePong(msgspec.Struct, frozen=True):
    """A service's answer. `details` holds counters by name, as text."""

    ping_id: str
    service: str
    instance: str
    healthy: bool
    started_at: int
    details: dict[str, str] = {}


class TimerDue(msgspec.Struct, frozen=True):
    """A timer of one key came due at `due_at` (ms). Timers decide nothing: they come back as a record."""

    due_at: int
