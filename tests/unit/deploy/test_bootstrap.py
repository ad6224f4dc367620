"""Which Python the environment is made with."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "deploy" / "bootstrap.sh"

# Microseconds: whatever else is installed here is never faster than these.
SLOW, LITTLE_FASTER, MUCH_FASTER = 100, 90, 50


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "deploy").mkdir()
    shutil.copy(SCRIPT, tmp_path / "deploy")
    for name in ("requirements.lock", "pyproject.toml"):
        (tmp_path / name).touch()
    return tmp_path


def interpreter(checkout: Path, name: str, pace: int) -> Path:
    """A Python that says it has this pace, and makes no environments."""
    path = checkout / "bin" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(
        f'#!/bin/sh\ncase "$*" in *timeit*) echo {pace} ;; *"-m venv"*) exit 3 ;;'
        f' *) exec {sys.executable} "$@" ;; esac\n'
    )
    path.chmod(0o755)
    return path


def bootstrap(checkout: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["/bin/sh", "deploy/bootstrap.sh"],
        cwd=checkout,
        env={"PATH": f"{checkout / 'bin'}:{os.defpath}", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def taken(checkout: Path, **environment: str) -> str:
    """Return what the script says before it makes the environment."""
    run = bootstrap(checkout, **environment)
    assert run.returncode == 3, run.stderr
    return run.stderr


def test_the_first_python_is_taken_unless_a_later_one_is_much_faster(checkout: Path) -> None:
    first = interpreter(checkout, "python3", SLOW)
    interpreter(checkout, "python3.11", LITTLE_FASTER)
    assert f"({first})" in taken(checkout)
    faster = interpreter(checkout, "python3.12", MUCH_FASTER)
    assert f"({faster})" in taken(checkout)


def test_the_python_that_is_asked_for_is_taken(checkout: Path) -> None:
    interpreter(checkout, "python3", MUCH_FASTER)
    asked = interpreter(checkout, "python3.11", SLOW)
    assert f"({asked})" in taken(checkout, PYTHON=str(asked))


def test_one_that_is_too_old_is_named(checkout: Path) -> None:
    old = checkout / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    run = bootstrap(checkout, PYTHON=str(old))
    assert run.returncode == 1
    assert f"Python 3.11 or newer is needed, and PYTHON={old} is not" in run.stderr
