"""The walls of pyproject.toml stand around every domain that there is: a new one cannot be forgotten."""

import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
DOMAINS = {
    f"streams.{folder.name}"
    for folder in (ROOT / "streams").iterdir()
    if (folder / "__init__.py").exists() and folder.name != "kernel"
}


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("domains see each other's messages only", "modules"),
        ("a domain's rules do no I/O, near or far", "source_modules"),
    ],
)
def test_every_domain_is_within_the_walls(name: str, field: str) -> None:
    (contract,) = (each for each in CONTRACTS if each["name"] == name)
    assert set(contract[field]) == DOMAINS
