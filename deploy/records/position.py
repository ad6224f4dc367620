"""Where reading begins and ends, as people write it: an offset, a time, or a time ago."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

_UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_AGO = re.compile(r"-(?:\d+(?:ms|s|m|h|d|w))+")


@dataclass(frozen=True)
class Beginning:
    """The oldest record that the broker still has."""


@dataclass(frozen=True)
class End:
    """Behind the newest record."""


@dataclass(frozen=True)
class AtOffset:
    """An offset, the same in every partition; a negative one counts from the end."""

    offset: int


@dataclass(frozen=True)
class AtTime:
    """The first record whose timestamp (ms since the epoch) is not before this."""

    timestamp: int


Position = Beginning | End | AtOffset | AtTime


def parse_position(text: str, now: int) -> Position:
    """Return the position that `text` names, `now` (ms) being the present.

    Forms: `beginning`, `end`, an offset (`120`; `-5` is five before the end), a time ago (`-10m`, `-1h30m`;
    ms, s, m, h, d, w), an ISO 8601 date or time (UTC unless it says otherwise). Raises ValueError.
    """
    if text in ("beginning", "start"):
        return Beginning()
    if text == "end":
        return End()
    if re.fullmatch(r"-?\d+", text):
        return AtOffset(int(text))
    if _AGO.fullmatch(text):
        ago = sum(int(count) * _UNITS[unit] for count, unit in re.findall(r"(\d+)(ms|s|m|h|d|w)", text))
        return AtTime(now - ago)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"{text!r} is no position: give an offset, an ISO time, a time ago such as -10m, "
            "`beginning` or `end`"
        ) from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return AtTime(round(moment.timestamp() * 1000))
