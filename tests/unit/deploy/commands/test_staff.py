"""`ecommerce staff`: a password is shown once, where it was made up, and a failure shows none."""

import subprocess
import sys
from pathlib import Path

import pytest

from api.auth.staff import AccountError, Promoted
from api.auth.tokens import Role, User
from deploy.errors import CommandError
from deploy.run import staff as command

SECRET = "hunter2secret"
ADA = User("01932c0e-7d1b-7a55-8f0e-2f1f4a5d9b11", "ada@example.com", Role.STAFF)


@pytest.mark.parametrize(
    "dsn",
    [
        f"postgresql://shop:{SECRET}@127.0.0.1:1/shop",
        f"postgresql://shop:{SECRET}/part@127.0.0.1:1/shop",
        f"nonsense://shop:{SECRET}@127.0.0.1:1/shop",
        f"{SECRET}",
    ],
)
def test_no_failure_shows_the_databases_password(dsn: str, tmp_path: Path) -> None:
    ran = subprocess.run(
        [Path(sys.executable).parent / "ecommerce", "staff", "ada@example.com"],
        env={"ECOMMERCE_POSTGRES": dsn, "ECOMMERCE_DATA_DIR": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode in {1, 2}
    assert "PostgreSQL" in ran.stderr
    assert "Traceback" not in ran.stderr
    assert SECRET not in ran.stdout + ran.stderr
    assert SECRET[:7] not in ran.stdout + ran.stderr


def test_a_made_up_password_is_shown_and_a_given_one_is_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def promote(_settings: object, _email: str, password: str | None) -> Promoted:
        return Promoted(ADA, "made-up-password" if password is None else None)

    monkeypatch.setattr(command, "make_staff", promote)
    command.staff("ada@example.com")
    assert "made-up-password" in capsys.readouterr().out
    command.staff("ada@example.com", as_json=True)
    assert '"password":"made-up-password"' in capsys.readouterr().out
    command.staff("ada@example.com", password=SECRET)
    command.staff("ada@example.com", password=SECRET, as_json=True)
    told = capsys.readouterr()
    assert "is staff" in told.out
    assert SECRET not in told.out + told.err


def test_revoking_tells_who_is_a_customer_now(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def revoke(_settings: object, email: str) -> User:
        if email != ADA.email:
            raise AccountError(f"email: {email} has no account")
        return User(ADA.user_id, ADA.email, Role.CUSTOMER)

    monkeypatch.setattr(command, "revoke_staff", revoke)
    command.staff("ada@example.com", revoke=True)
    assert "is a customer" in capsys.readouterr().out
    with pytest.raises(CommandError, match="has no account"):
        command.staff("eve@example.com", revoke=True)
    with pytest.raises(CommandError, match="sets no password"):
        command.staff("ada@example.com", revoke=True, password=SECRET)
