"""docs/adding-a-domain.md, executed as it stands: in a copy of the repository, until all is green."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.errors import CommandError
from deploy.new.skeleton import write_domain

ROOT = Path(__file__).parents[3]
BIN = Path(sys.executable).parent
PAGE = (ROOT / "docs/adding-a-domain.md").read_text()
COMMANDS = [
    command
    for block in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    for command in re.findall(r"\$ (.*)", block)
]
ECOMMERCE = "from deploy.cli import main; main()"
MOST_EDITED = 3


def run(command: str, folder: Path) -> str:
    program, *arguments = command.split()
    first = [sys.executable, "-c", ECOMMERCE] if program == "ecommerce" else [str(BIN / program)]
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    environment.pop("COVERAGE_PROCESS_START", None)
    done = subprocess.run(
        [*first, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    said = f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    assert done.returncode == 0, f"{command}\n{said}"
    return said


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not any(part.endswith("_cache") or part == "__pycache__" for part in path.parts)
    }


@pytest.mark.timeout(900)
def test_the_page_adds_a_domain_down_to_green_checks(copy: Path) -> None:
    # What is known of the types of the rest need not be found out again.
    if (ROOT / ".mypy_cache").is_dir():
        shutil.copytree(ROOT / ".mypy_cache", copy / ".mypy_cache")
    before = contents(copy)
    first, *rest = COMMANDS
    assert first == "ecommerce new domain wishlist"
    run(first, copy)
    after = contents(copy)
    edited = {name for name in before if after[name] != before[name]}
    assert edited == {"pyproject.toml", "schemas/domains.py"}
    assert len(edited) <= MOST_EDITED
    for command in rest:
        run(command, copy)
    generated = {name for name, content in contents(copy).items() if before.get(name, content) != content}
    assert generated - edited == {"schemas/registry.lock"} | {
        f"docs/{name}" for name in ("asyncapi.yaml", "cli.md", "events.md", "topology.md")
    }


def test_the_longest_name_keeps_the_form(copy: Path) -> None:
    run("ecommerce new domain abcdefghijklmnopqrst", copy)
    run("ruff format --check .", copy)
    run("ruff check .", copy)


def test_a_name_that_will_not_do_writes_nothing(copy: Path) -> None:
    before = contents(copy)
    for name in ("cart", "class", "gift_card", "Gifts", "health", "registry"):
        with pytest.raises(CommandError, match=r"cannot be a domain|is there already"):
            write_domain(name, copy)
    assert contents(copy) == before


def test_what_was_forgotten_is_named_at_import(copy: Path) -> None:
    run(COMMANDS[0], copy)
    manifest = copy / "schemas/domains.py"
    line = '    Domain("wishlist", flows=("wishlist",), rooms=_SEEN),\n'
    text = manifest.read_text()
    assert line in text
    for module, missing, error in (
        ("topics.registry", "topics/wishlist.py", "topics/wishlist.py is missing"),
        ("streams.flows", "streams/wishlist/agent.py", "streams/wishlist/agent.py is missing"),
        ("tables.gathered", "tables/wishlist.py", "tables/wishlist.py is missing"),
        (
            "sinks.gathered",
            "sinks/wishlist/views.py",
            "sinks/wishlist has no module that declares a DomainViews",
        ),
        ("api.outcomes", "api/wishlist/outcomes.py", "api/wishlist/outcomes.py is missing"),
        ("api.surfaces", "api/wishlist/surface.py", "api/wishlist has no module that declares a Surface"),
    ):
        (copy / missing).rename(copy / "aside")
        assert error in refused(module, copy)
        (copy / "aside").rename(copy / missing)
    manifest.write_text(text.replace(line, ""))
    for module, room in (("streams.flows", "streams"), ("sinks.gathered", "sinks"), ("api.surfaces", "api")):
        assert f"{room}/wishlist is of no domain" in refused(module, copy)


def refused(module: str, folder: Path) -> str:
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", f"import {module}"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    return done.stderr.strip().splitlines()[-1]
