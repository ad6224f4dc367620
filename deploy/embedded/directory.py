"""The data directory: closed to everybody else on the machine, whoever made it and when."""

import os
import stat
from pathlib import Path

from deploy.embedded.privileges import account
from topics.credentials import make
from topics.settings import Settings

_OTHERS = 0o077


class DirectoryError(Exception):
    """The data directory is somebody else's."""


def close(settings: Settings) -> None:
    """Make the data directory, or close the one that is there, and make the passwords that it lacks.

    As root it stays passable, and no more, for the group of the servers, which has no other members.
    Raises DirectoryError where it belongs to another user, who could change what is in it, CredentialsError
    where passwords are there and cannot be read.
    """
    root = settings.data_dir.absolute()
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    if root.stat().st_uid != os.geteuid():
        raise DirectoryError(
            f"{root} belongs to another user (number {root.stat().st_uid}): start the platform as that user, "
            "give the directory to yours with chown, or set ECOMMERCE_DATA_DIR to another one"
        )
    if root.stat().st_mode & 0o007:
        _tighten(root)
    if os.geteuid() == 0:
        os.chown(root, -1, account(root).gid)
        root.chmod(0o710)
    else:
        root.chmod(0o700)
    make(settings.credentials_file)


def write_private(file: Path, text: str) -> None:
    """Write a file that only its owner reads, whoever could read what was there."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as handle:
        os.fchmod(handle.fileno(), 0o600)
        handle.write(text)


def _tighten(root: Path) -> None:
    """Take the rights of others from everything: it was made by a version that left them."""
    for directory, _, files in os.walk(root):
        for each in (Path(directory), *(Path(directory, name) for name in files)):
            found = each.lstat().st_mode
            if not stat.S_ISLNK(found) and found & _OTHERS:
                each.chmod(stat.S_IMODE(found) & ~_OTHERS)
