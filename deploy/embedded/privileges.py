"""Running a server that refuses root, when we are root (in a container, say)."""

import os
import pwd
import shutil
from collections.abc import Iterable
from pathlib import Path

_USER = "nobody"


class PrivilegeError(Exception):
    """The server cannot be run without privileges here."""


def unprivileged(command: tuple[str, ...], *, needs: Iterable[Path]) -> tuple[str, ...]:
    """Return `command` as it must be run so that it is not root; unchanged where we are not root.

    `needs` are the paths that the command must reach. Below a directory that is closed to others (a checkout
    in root's home) the command keeps the one capability to pass it, and is still not root.
    Raises PrivilegeError where `setpriv` (util-linux) is missing.
    """
    if os.geteuid() != 0:
        return command
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise PrivilegeError("running as root needs the program setpriv: install the package util-linux")
    user = pwd.getpwnam(_USER)
    drop = [setpriv, f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    if not all(reachable(path, user) for path in needs):
        # The secure bit lets access(2), which Java asks first, see the capability as open(2) does.
        drop += ["--inh-caps=+dac_override", "--ambient-caps=+dac_override", "--securebits=+no_setuid_fixup"]
    return (*drop, "--", *command)


def give_away(path: Path) -> None:
    """Hand `path` and what is below it to the unprivileged user; does nothing where we are not root."""
    if os.geteuid() != 0:
        return
    user = pwd.getpwnam(_USER)
    for each in (path, *path.rglob("*")):
        os.chown(each, user.pw_uid, user.pw_gid, follow_symlinks=False)


def reachable(path: Path, user: pwd.struct_passwd) -> bool:
    """Tell whether `user` may pass every directory on the way to `path`."""
    for parent in path.absolute().parents:
        if not parent.exists():
            continue
        stat = parent.stat()
        bit = 0o100 if stat.st_uid == user.pw_uid else 0o010 if stat.st_gid == user.pw_gid else 0o001
        if not stat.st_mode & bit:
            return False
    return True
