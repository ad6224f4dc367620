"""Where downloads are kept between runs, shared by every copy of the platform of one user."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs

from deploy.embedded.settings import EmbeddedSettings


def cache_dir() -> Path:
    """Return the absolute directory of downloads: `ECOMMERCE_CACHE_DIR`, else the user's cache."""
    chosen = EmbeddedSettings().cache_dir
    return chosen.absolute() if chosen else platformdirs.user_cache_path("ecommerce-streams")


def share(path: Path) -> None:
    """Let the servers, which root starts as another user, read a download; there is nothing secret in it."""
    path.chmod(path.stat().st_mode | 0o044)
    for parent in path.parents:
        if not parent.is_relative_to(cache_dir()):
            break
        parent.chmod(parent.stat().st_mode | 0o055)


@contextmanager
def exclusive(lock: Path) -> Iterator[None]:
    """Hold the file `lock`, so that two starts at once do not write the same files."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
