"""Running the servers as a user of their own where we are root, as in a container: nobody else is that user.

The user has a number and no name, as systemd's dynamic users have: it owns, and reaches, what it was given.
Of one platform all servers share it.
"""

import os
import pwd
import shutil
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

# systemd's range for such users; nothing else gives these numbers away.
_FIRST, _LAST = 61184, 65519
_NAMED = "nobody"


class PrivilegeError(Exception):
    """The server cannot be run without privileges here."""


@dataclass(frozen=True)
class Account:
    """Whom a server runs as, by number."""

    uid: int
    gid: int

    @property
    def named(self) -> "Account":
        """The same group under a user that has a name: some programs end where theirs has none."""
        return Account(pwd.getpwnam(_NAMED).pw_uid, self.gid)


def account(data_dir: Path) -> Account:
    """Return the account of a platform's servers; another directory is likely to have another one."""
    number = _FIRST + zlib.crc32(os.fsencode(data_dir.absolute())) % (_LAST - _FIRST + 1)
    return Account(number, number)


def unprivileged(command: tuple[str, ...], who: Account, *, needs: Iterable[Path]) -> tuple[str, ...]:
    """Return `command` as it must be run so that it is not root; unchanged where we are not root.

    `needs` are the paths that the command must reach. Below a directory that is closed to it (a checkout in
    root's home) the command keeps the one capability to pass and to read, never to write.
    Raises PrivilegeError where `setpriv` (util-linux) is missing.
    """
    if os.geteuid() != 0:
        return command
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise PrivilegeError("running as root needs the program setpriv: install the package util-linux")
    drop = [setpriv, f"--reuid={who.uid}", f"--regid={who.gid}", "--clear-groups"]
    if all(reachable(path, who) for path in needs):
        drop += ["--inh-caps=-all", "--bounding-set=-all", "--no-new-privs"]
    else:
        # The secure bit lets access(2), which Java asks first, see the capability as open(2) does.
        capability = "dac_read_search"
        drop += [f"--inh-caps=+{capability}", f"--ambient-caps=+{capability}"]
        drop += ["--securebits=+no_setuid_fixup"]
    return (*drop, "--", *command)


def give_away(path: Path, who: Account) -> None:
    """Hand `path` and what is below it to an account; does nothing where we are not root."""
    if os.geteuid() != 0:
        return
    for each in (path, *path.rglob("*")):
        os.chown(each, who.uid, who.gid, follow_symlinks=False)


def belongs(path: Path, who: Account) -> bool:
    """Tell whether `path` is the account's already, or need not be as we are not root."""
    return os.geteuid() != 0 or path.stat().st_uid == who.uid


def reachable(path: Path, who: Account) -> bool:
    """Tell whether an account may pass the directories on the way to `path`, and read it if it is there."""
    for parent in path.absolute().parents:
        if not parent.exists():
            continue
        stat = parent.stat()
        bit = 0o100 if stat.st_uid == who.uid else 0o010 if stat.st_gid == who.gid else 0o001
        if not stat.st_mode & bit:
            return False
    if not path.exists():
        return True
    stat = path.stat()
    return stat.st_uid == who.uid or bool(stat.st_mode & 0o004)
