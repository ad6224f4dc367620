"""What `up` was asked for and `down` was not: whatever of it does not run, should."""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from deploy.embedded.directory import write_private

_FILE = "wanted.json"


def want(run: Path, names: Iterable[str]) -> None:
    """Note that these processes should run, beside those of earlier starts."""
    every = sorted({*wanted(run), *names})
    write_private(run / _FILE, msgspec.json.encode(every).decode())


def want_nothing(run: Path) -> None:
    """Note that nothing should run."""
    (run / _FILE).unlink(missing_ok=True)


def wanted(run: Path) -> frozenset[str]:
    """Return the names of the processes that should run; none where it cannot be told."""
    try:
        return frozenset(msgspec.json.decode((run / _FILE).read_bytes(), type=list[str]))
    except (OSError, msgspec.DecodeError):
        return frozenset()
