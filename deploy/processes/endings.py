"""How often processes ended by themselves of late: one that is started again and again looks well."""

import re
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

WINDOW = timedelta(minutes=5)
MOST = 5
"""Endings within the window of which nobody has to hear: a server that was away has cost some."""

_TAIL_BYTES = 256 * 1024
_ENDED = re.compile(r"^(\S+ \S+?),\d+ \w+ exited: (\S+) \(.*; not expected\)")
_STOPPED = re.compile(r"^\S+ \S+ \w+ stopped: (\S+) \(")
_BEGUN = re.compile(r"^\S+ \S+ \w+ supervisord started")
_TIME = "%Y-%m-%d %H:%M:%S"


def endings(log: Path, now: datetime) -> Counter[str]:
    """Return how often each process ended unasked within the window before `now`, by the supervisor's log.

    Counted from when somebody last stopped it, or started the supervisor. `now` is in the log's own time,
    which is local. Empty where there is no log.
    """
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
            lines = file.read().decode(errors="replace").splitlines()
    except FileNotFoundError:
        return Counter()
    found: Counter[str] = Counter()
    for line in lines:
        if (ended := _ENDED.match(line)) is not None:
            at = datetime.strptime(ended[1], _TIME)  # noqa: DTZ007 -- local, as `now` is
            found[ended[2]] += now - at <= WINDOW
        elif (stopped := _STOPPED.match(line)) is not None:
            del found[stopped[1]]
        elif _BEGUN.match(line):
            found.clear()
    return found


def complaint(count: int) -> str:
    """Return what is wrong with a process that ended so often; empty where nothing is."""
    if count <= MOST:
        return ""
    return f"it ended {count} times in {WINDOW.seconds // 60} minutes and was started again: its log says why"
