"""A worker's place on its machine: an index, its data directory, and the lock that makes them its own."""

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path
from typing import IO

MOST = 64


class SlotTakenError(Exception):
    """The asked-for worker index, or every index, is in use on this machine."""


@dataclass
class Slot:
    """A claimed index; the operating system frees it when the process ends, however it ends."""

    index: int
    directory: Path
    _lock: IO[str]

    def release(self) -> None:
        """Free the index."""
        self._lock.close()


def claim(root: Path, index: int | None = None) -> Slot:
    """Claim `index`, or the lowest free one, under `root`. Raises SlotTakenError."""
    for candidate in range(MOST) if index is None else (index,):
        directory = root / f"worker-{candidate}"
        directory.mkdir(parents=True, exist_ok=True)
        lock = (directory / "lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            continue
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        return Slot(candidate, directory, lock)
    taken = f"worker index {index} is" if index is not None else f"worker indexes 0 to {MOST - 1} are"
    raise SlotTakenError(f"{taken} in use on this machine (lock files in {root})")
