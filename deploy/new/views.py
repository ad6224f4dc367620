"""The skeleton of a view: one table that shows the newest event of each key, from the event's own fields."""

import re
from dataclasses import dataclass
from enum import Enum
from inspect import isclass
from pathlib import Path
from string import Template
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

import msgspec

from deploy.errors import CommandError
from deploy.new.skeleton import ROOT, next_revision, written
from schemas.bounds import bare
from schemas.domains import DOMAINS, Room
from sinks import postgres
from topics.registry import TOPICS
from topics.topic import Kind, Topic

_TEMPLATES = Path(__file__).parent / "view_skeleton"
_NAME = re.compile("[a-z][a-z_]{0,28}[a-z]")
_PLAIN = {str: "text", int: "bigint", bool: "boolean", float: "double precision"}
_OWN = frozenset({"version", "at", "extra"})


@dataclass(frozen=True)
class Column:
    """A column: the type of the row's field, that of the table's, and what makes it of the message."""

    name: str
    field: str
    sql: str
    value: str


def write_view(topic_name: str, view: str, root: Path = ROOT) -> list[Path]:
    """Write a view of an event, its migration and its tests under `root`; return the files.

    Raises CommandError, and writes nothing, where the topic or the name will not do.
    """
    topic = _event(topic_name)
    if not _NAME.fullmatch(view) or view in {table.name for table in postgres.TABLES}:
        raise CommandError(
            f"{view!r} cannot be a view: 2 to 30 letters a to z and underscores, not used yet", 2
        )
    columns = [_key(topic), *(_column(each) for each in msgspec.structs.fields(topic.data))]
    revision, down = next_revision(root)
    values = {
        "domain": topic.domain,
        "view": view,
        "VIEW": view.upper(),
        "Row": "".join(part.title() for part in view.split("_")) + "Row",
        "data": topic.data.__name__,
        "topic": topic.name,
        "TOPIC": _constant(topic),
        "key": topic.key,
        "fields": "\n".join(f"    {each.name}: {each.field}" for each in columns),
        "values": "\n".join(f"            {each.name}={each.value}," for each in columns),
        "columns": "\n".join(f'        " {each.name} {each.sql},"' for each in columns[1:]),
        "key_column": f"{columns[0].name} {columns[0].sql}",
        "revision": revision,
        "down_revision": down,
    }
    texts = {
        Path(place): Template((_TEMPLATES / name).read_text()).substitute(values)
        for name, place in (
            ("view.py.txt", f"sinks/{topic.domain}/{view}.py"),
            ("migration.py.txt", f"sinks/migrations/versions/v{revision}_{view}.py"),
            ("unit.py.txt", f"tests/unit/sinks/test_{view}_view.py"),
            ("integration.py.txt", f"tests/integration/sinks/test_{view}_view.py"),
        )
    }
    return written(texts, root)


def _event(name: str) -> Topic[msgspec.Struct]:
    topic = TOPICS.get(name if name.startswith("ecommerce.") else f"ecommerce.{name}")
    if topic is None or topic.kind is not Kind.EVENT or topic.retention_ms != -1:
        raise CommandError(f"{name} is no event that is kept for ever: a view of it could not be rebuilt", 2)
    if any(each.topic.name == topic.name for each in postgres.PROJECTIONS):
        raise CommandError(
            f"{name} feeds PostgreSQL already: let its projector make the rows of both tables", 2
        )
    if not any(domain.name == topic.domain and Room.SINKS in domain.rooms for domain in DOMAINS):
        raise CommandError(f"{topic.domain} has no place in the sinks: give it rooms=(Room.SINKS,) first", 2)
    return topic


def _constant(topic: Topic[Any]) -> str:
    return topic.name.removeprefix("ecommerce.").replace(".", "_").upper()


def _key(topic: Topic[Any]) -> Column:
    if topic.key == "sku":
        return Column("sku", "str", "text", "message.aggregate_id")
    return Column(topic.key, "UUID", "uuid", 'identifier("aggregate_id", message.aggregate_id)')


def _column(field: msgspec.structs.FieldInfo) -> Column:
    name = f"told_{field.name}" if field.name in _OWN or field.name.endswith("_id") else field.name
    kind, value = bare(field.type), f"message.data.{field.name}"
    missing = get_origin(kind) in (Union, UnionType) and NoneType in get_args(kind)
    if missing:
        (kind, *_) = [bare(each) for each in get_args(kind) if each is not NoneType]
    if isclass(kind) and issubclass(kind, Enum):
        sql, python, value = (
            "text",
            "str",
            f"None if {value} is None else {value}.value" if missing else f"{value}.value",
        )
    elif kind in _PLAIN:
        sql, python = _PLAIN[kind], kind.__name__
    else:
        sql, python = "jsonb", "str"
        value = f"None if {value} is None else json_text({value})" if missing else f"json_text({value})"
    return Column(
        name, f"{python} | None" if missing else python, sql if missing else f"{sql} NOT NULL", value
    )
