from pathlib import Path
from typing import Annotated, Any

import pytest
import yaml
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from deploy.docs import documents
from deploy.docs.asyncapi import document
from deploy.docs.avro_text import named_types, type_text
from deploy.docs.events import events, retention
from deploy.docs.markdown import table
from deploy.docs.settings_page import settings_classes, settings_page
from deploy.topology.component import Component, Role, Route
from schemas.lock import Lock
from topics.registry import CART_ADD, CART_UPDATED, TOPICS
from topics.settings import Settings

CHOSEN = [TOPICS[CART_ADD.name], TOPICS[CART_UPDATED.name]]
COMPONENTS = [
    Component("cart", Role.FLOW, "cart", routes=(Route(CART_ADD.name, "decide.add", (CART_UPDATED.name,)),))
]


@pytest.mark.parametrize(
    ("avro", "text"),
    [
        ("string", "string"),
        ("ecommerce.data.OrderLine", "OrderLine"),
        (["null", "long"], "long or null"),
        ({"type": "array", "items": {"type": "record", "name": "Line", "fields": []}}, "array of Line"),
        ({"type": "map", "values": "string"}, "map of string"),
        ({"type": "long", "logicalType": "timestamp-millis"}, "time (ms, UTC)"),
        (["null", {"type": "enum", "name": "Status", "symbols": []}], "Status or null"),
    ],
)
def test_says_a_type(avro: Any, text: str) -> None:
    assert type_text(avro) == text


def test_finds_types_inside_types() -> None:
    line = {"type": "record", "name": "Line", "fields": [{"name": "n", "type": "long"}]}
    outer = {"type": "record", "name": "Outer", "fields": [{"name": "l", "type": ["null", line]}]}
    assert list(named_types(outer)) == ["Outer", "Line"]


def test_the_catalogue_tells_schema_writers_and_readers() -> None:
    text = events(CHOSEN, Lock(), COMPONENTS)
    add, updated = text.split("### ecommerce.cart.updated")
    newest = Lock().latest(CART_ADD.name)
    assert f"| command | `cart_id` | {newest.id} | {newest.version} |" in add
    assert "| 7 days | - | cart |" in add
    assert "| `lines` | array of CartLine | required |" in add
    assert "| for ever | cart | - |" in updated
    assert "### CartLine" in updated


def test_the_catalogue_has_every_topic() -> None:
    text = (documents.FOLDER / "events.md").read_text()
    assert [name for name in TOPICS if f"### {name}\n" not in text] == []


def test_asyncapi_refers_only_to_what_is_there() -> None:
    found = document(CHOSEN, Lock(), COMPONENTS)
    assert found["operations"]["cart.receive.ecommerce.cart.add"]["action"] == "receive"
    for reference in references(found):
        if reference.startswith("#/"):
            place: Any = found
            for part in reference.removeprefix("#/").split("/"):
                place = place[part]
        else:
            assert (documents.FOLDER / reference).resolve().is_file(), reference


def test_the_asyncapi_document_is_yaml_of_version_3() -> None:
    found = yaml.safe_load((documents.FOLDER / "asyncapi.yaml").read_text())
    assert found["asyncapi"] == "3.0.0"
    assert set(found["channels"]) == set(TOPICS)


def references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if "$ref" in node else []
        return own + [ref for value in node.values() for ref in references(value)]
    return []


class Example(BaseSettings):
    """An example."""

    model_config = SettingsConfigDict(env_prefix="EXAMPLE_")

    size: Annotated[int, Field(ge=1, le=9, description="How big it is.")] = 3
    address: str | None = Field(default=None, description="Where it is.")


def test_settings_are_variables_with_limits_and_defaults() -> None:
    text = settings_page([Example])
    assert "| `EXAMPLE_SIZE` | int, >= 1, <= 9 | `3` | How big it is. |" in text
    assert "| `EXAMPLE_ADDRESS` | str or none | - | Where it is. |" in text


def test_finds_the_settings_of_every_room() -> None:
    found = settings_classes()
    assert found[0] is Settings
    assert len({one.__module__.split(".")[0] for one in found}) > 2


def test_a_tables_cells_cannot_break_it() -> None:
    assert table(("a",), [("x|y\nz",)])[2] == "| x\\|y z |"


@pytest.mark.parametrize(
    ("milliseconds", "words"), [(-1, "for ever"), (604_800_000, "7 days"), (86_400_000, "1 days")]
)
def test_retention_in_words(milliseconds: int, words: str) -> None:
    assert retention(milliseconds) == words


def test_writes_what_is_stale_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "DOCUMENTS", {"a.md": lambda: "A", "b.md": lambda: "B"})
    assert documents.generate(tmp_path) == ["a.md", "b.md"]
    assert documents.stale(tmp_path) == {}
    (tmp_path / "a.md").write_text("typed by hand")
    assert documents.stale(tmp_path) == {"a.md": "A"}
    assert documents.generate(tmp_path) == ["a.md"]
