"""A copy of the repository, to write into."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def tracked(root: Path, *which: str) -> set[str]:
    command = ["git", "ls-files", "-z", *which]
    found = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    return {name for name in found.split("\0") if name and (root / name).is_file()}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in tracked(ROOT, "--cached", "--others", "--exclude-standard"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, tmp_path / name)
    return tmp_path
