import os
import shutil
from pathlib import Path

import pytest

from deploy.embedded.privileges import Account, PrivilegeError, account, reachable, unprivileged

COMMAND = ("postgres", "-D", "data")
WHO = Account(61200, 61200)


def as_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")


def test_an_ordinary_user_runs_the_command_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert unprivileged(COMMAND, WHO, needs=[]) == COMMAND


def test_root_drops_to_an_account_that_nobody_else_has(monkeypatch: pytest.MonkeyPatch) -> None:
    as_root(monkeypatch)
    command = unprivileged(COMMAND, WHO, needs=[Path("/usr/bin")])
    assert command[:2] == ("/usr/bin/setpriv", "--reuid=61200")
    assert command[-3:] == COMMAND
    assert "--no-new-privs" in command
    assert not any("dac" in part for part in command)


def test_below_a_closed_directory_the_capability_to_read_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_root(monkeypatch)
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    command = unprivileged(COMMAND, WHO, needs=[closed / "data"])
    assert "--ambient-caps=+dac_read_search" in command
    assert not any("dac_override" in part for part in command)


def test_root_without_setpriv_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(PrivilegeError, match="util-linux"):
        unprivileged(COMMAND, WHO, needs=[])


def test_reach_ends_at_a_closed_directory(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o755)
    (tmp_path / "closed").mkdir(mode=0o700)
    assert not reachable(tmp_path / "closed" / "file", WHO)
    assert reachable(Path("/usr/bin/env"), WHO)


def test_two_platforms_have_accounts_of_their_own() -> None:
    assert account(Path("/one")) == account(Path("/one"))
    assert account(Path("/one")) != account(Path("/other"))
