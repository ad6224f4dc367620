"""Maven artifacts pinned by sha256: a lock file names them, the user's cache holds them.

With every coordinate in the lock file nothing is left to resolve at start: a cold start fetches the files and
no POM, and a changed file is refused. `python -m deploy.embedded.relock` writes a lock file anew.
"""

import hashlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests
import stamina
from jgo.maven import Artifact, MavenContext, PythonResolver

from deploy.embedded.cache import cache_dir, exclusive, share
from deploy.processes.process import Report

_PARALLEL = 8
_TIMEOUT_SECONDS = 60


class ArtifactError(Exception):
    """An artifact cannot be had, or is not the one that the lock file names."""


@dataclass(frozen=True)
class Locked:
    """One line of a lock file: a coordinate `group:artifact:version`, its size in bytes, its digest."""

    coordinate: str
    size: int
    sha256: str

    @property
    def path(self) -> Path:
        """Where the file lies in the cache, whether fetched yet or not."""
        group, artifact, version = self.coordinate.split(":")
        name = f"{artifact}-{version}.jar"
        return cache_dir().joinpath("maven", *group.split("."), artifact, version, name)

    def verified(self) -> bool:
        """Tell whether the cached file is the locked one."""
        return self.path.is_file() and sha256(self.path) == self.sha256


def read_lock(path: Path) -> tuple[Locked, ...]:
    """Read a lock file; lines are `sha256 size coordinate`, `#` begins a comment."""
    rows = (line.split() for line in path.read_text().splitlines() if line and not line.startswith("#"))
    return tuple(Locked(coordinate, int(size), digest) for digest, size, coordinate in rows)


def fetch(locked: tuple[Locked, ...], report: Report) -> None:
    """Bring every artifact into the cache and verify it.

    Raises ArtifactError where one cannot be had or differs from the lock file.
    """
    with exclusive(cache_dir() / "maven.lock"):
        missing = [artifact for artifact in locked if not artifact.verified()]
        if not missing:
            return
        total = sum(artifact.size for artifact in missing)
        counter = _Counter(report, total)
        context = maven(counter)
        with ThreadPoolExecutor(_PARALLEL) as pool:
            for _ in pool.map(lambda artifact: _fetch_one(context, artifact), missing):
                pass


def maven(counter: "_Counter | None" = None) -> MavenContext:
    """Return the Maven client on our own cache."""
    resolver = PythonResolver(progress_callback=counter.file if counter else None)
    return MavenContext(resolver=resolver, repo_cache=cache_dir() / "maven", timeout=_TIMEOUT_SECONDS)


def sha256(path: Path) -> str:
    """Return the hex digest of a file."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _fetch_one(context: MavenContext, locked: Locked) -> None:
    group, name, version = locked.coordinate.split(":")
    artifact = context.project(group, name).at_version(version).artifact()
    try:
        _download(artifact, locked)
    except (requests.RequestException, RuntimeError) as error:
        raise ArtifactError(f"cannot download {locked.coordinate}: {error}") from error
    share(locked.path)
    if not locked.verified():
        found = sha256(locked.path)
        locked.path.unlink()
        raise ArtifactError(
            f"{locked.coordinate} has sha256 {found}, the lock file says {locked.sha256}: refused"
        )


@stamina.retry(on=requests.RequestException, attempts=4, timeout=300)
def _download(artifact: Artifact, locked: Locked) -> None:
    # A broken download leaves a part of the file, which the client would take for the whole.
    locked.path.unlink(missing_ok=True)
    artifact.resolve()


class _Counter:
    """Adds up the bytes of parallel downloads for one report."""

    def __init__(self, report: Report, total: int) -> None:
        self._report = report
        self._total = total
        self._done = 0
        self._lock = threading.Lock()

    @contextmanager
    def file(self, _name: str, _size: int) -> Iterator["_Counter"]:
        """Count one file: the yielded object takes the number of bytes of each chunk."""
        yield self

    def __call__(self, chunk: int) -> None:
        with self._lock:
            self._done += chunk
            self._report("downloading", self._done, self._total)
