"""The manifest: what it promises and is missing, or is there without it, is an error that names the place."""

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest

import tables
import topics
from schemas.domains import DOMAINS, Domain, ManifestError, Room, all_declared, declared, no_strays, of_room
from streams.flows import gathered as flows_of
from streams.kernel.flow import Flow
from tables.gathered import TABLES, of_flow
from tables.table import Table
from topics.registry import TOPICS
from topics.registry import gathered as topics_of
from topics.topic import Topic


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package `attic`, for the time of a test."""
    folder = tmp_path / "attic"
    folder.mkdir()
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    yield folder
    for name in [name for name in sys.modules if name.partition(".")[0] == "attic"]:
        del sys.modules[name]


def test_a_module_that_is_missing_is_named() -> None:
    with pytest.raises(ManifestError, match=r"topics/nowhere\.py is missing"):
        list(topics_of([Domain("nowhere")]))
    with pytest.raises(ManifestError, match=r"streams/nowhere/gifts/agent\.py is missing"):
        list(flows_of([*DOMAINS, Domain("nowhere", flows=("gifts",))]))
    with pytest.raises(ManifestError, match=r"tables/nowhere/gifts\.py is missing"):
        of_flow("tables.nowhere.gifts", "gifts")


def test_a_declaration_that_is_missing_is_named(room: Path) -> None:
    (room / "nowhere.py").write_text("FLOW = 'no flow'\n")
    with pytest.raises(ManifestError, match=r"attic/nowhere\.py has to declare FLOW, a Flow"):
        declared("attic.nowhere", "FLOW", Flow)
    with pytest.raises(ManifestError, match=r"attic/nowhere\.py has to declare VIEWS, a Table"):
        declared("attic.nowhere", "VIEWS", Table)
    with pytest.raises(ManifestError, match=r"attic/nowhere\.py has to declare the table nowhere"):
        of_flow("attic.nowhere", "nowhere")


def test_a_module_that_cannot_be_imported_says_itself_why(room: Path) -> None:
    (room / "nowhere.py").write_text("import that_is_nowhere\n")
    with pytest.raises(ModuleNotFoundError, match="that_is_nowhere"):
        all_declared("attic.nowhere", Topic)


def test_a_folder_of_no_domain_is_named(room: Path) -> None:
    (room / "nowhere").mkdir()
    (room / "nowhere" / "__init__.py").touch()
    no_strays("attic", ["nowhere"], ())
    no_strays("attic", [], ["nowhere"])
    with pytest.raises(ManifestError, match="attic/nowhere is of no domain"):
        no_strays("attic", ["cart"], ["kernel"])
    with pytest.raises(ManifestError, match="streams/product is of no domain"):
        list(flows_of([each for each in DOMAINS if each.name != "product"]))


def test_a_topic_of_another_domain_is_named() -> None:
    with pytest.raises(ManifestError, match=r"topics/registry\.py: .* is called ecommerce"):
        list(topics_of([Domain("registry")]))
    with pytest.raises(ManifestError, match=r"topics/topic\.py declares no topic"):
        list(topics_of([Domain("topic")]))


def test_no_topic_and_no_table_is_outside_the_manifest() -> None:
    """Modules that nobody imports would escape what the rooms check when they are imported."""
    declared_in = {
        (topic.name, found.name)
        for found in iter_modules(topics.__path__)
        for topic in vars(import_module(f"topics.{found.name}")).values()
        if isinstance(topic, Topic)
    }
    assert {name for name, _ in declared_in} == TOPICS.keys()
    modules = {found.name for found in iter_modules(tables.__path__)} - {
        "applied",
        "gathered",
        "parts",
        "table",
    }
    assert modules == {domain.name for domain in DOMAINS if domain.flows}
    assert TABLES.keys() == {flow for domain in DOMAINS for flow in domain.flows}


def test_a_domain_is_named_once_and_has_messages() -> None:
    names = [domain.name for domain in DOMAINS]
    assert len(set(names)) == len(names)
    for name in names:
        import_module(f"schemas.{name}")
    assert {domain.name for domain in of_room(Room.API)} >= {"cart", "order"}
