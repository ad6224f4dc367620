"""When commands are refused, and for how long: pure, over what is known of the pipeline."""

import math
from dataclasses import dataclass, fields

SHORTEST_RETRY_S, LONGEST_RETRY_S = 1, 30


@dataclass(frozen=True)
class Signals:
    """What is known of the pipeline, or (as limits) from where on commands are refused.

    `backlog_records` are those that the dataflow has yet to read, `backlog_seconds` the longest that a new
    record will lie in a topic; `sending` commands have not reached the broker, the oldest for
    `sending_seconds`; `unanswered` ones have no outcome yet; `loop_seconds` is how late this process is.
    """

    backlog_records: float = 0
    backlog_seconds: float = 0
    sending: float = 0
    sending_seconds: float = 0
    unanswered: float = 0
    loop_seconds: float = 0


@dataclass(frozen=True)
class Verdict:
    """Whether commands are refused. `pressure` is the worst signal as a share of its limit."""

    refusing: bool = False
    pressure: float = 0.0
    worst: str = ""
    retry_s: int = SHORTEST_RETRY_S


def judge(before: Verdict, seen: Signals, limits: Signals, reopen_share: float) -> Verdict:
    """Return the verdict: refusing from the limit on, and until all signals are below their share of it.

    Between the two it stays what it was, so that it does not flap.
    """
    shares = {each.name: getattr(seen, each.name) / getattr(limits, each.name) for each in fields(Signals)}
    worst = max(shares, key=shares.__getitem__)
    pressure = shares[worst]
    refusing = pressure >= 1 or (before.refusing and pressure > reopen_share)
    # What lies there takes that long until commands are admitted again.
    drains_s = seen.backlog_seconds - reopen_share * limits.backlog_seconds
    retry_s = min(max(math.ceil(drains_s), SHORTEST_RETRY_S), LONGEST_RETRY_S)
    return Verdict(refusing, pressure, worst, retry_s)
