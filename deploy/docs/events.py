"""docs/events.md: every topic with its schema, who writes it and who reads it."""

from collections.abc import Iterator, Sequence
from itertools import groupby

import msgspec

from deploy.docs.avro_text import data_of, named_types, type_text
from deploy.docs.markdown import code, page, table
from deploy.topology.component import Component, consumers, producers
from schemas.avro import Schema
from schemas.lock import Lock
from topics.registry import CHANGELOGS, DEAD_LETTERS, REDRIVES, SCHEMAS, TOPICS
from topics.topic import DAY_MS, RawTopic, Topic

_INTRODUCTION = """\
Every value is Avro in the Confluent wire format (magic byte 0, 4-byte schema id, data). The envelope is in
every message, `data` is the topic's own. Money is an integer in minor units, a time is in ms since 1970 UTC.
"""


def events(topics: Sequence[Topic[msgspec.Struct]], lock: Lock, components: Sequence[Component]) -> str:
    """Return the event catalogue."""
    types: dict[str, Schema] = {}
    sections: list[str] = []
    for domain, members in groupby(topics, key=lambda topic: topic.domain):
        sections += [f"## {domain}", ""]
        for topic in members:
            schema = lock.schema(lock.latest(topic.name))
            sections += _topic(topic, schema, lock, components)
            data = data_of(schema)
            types |= {name: one for name, one in named_types(data).items() if name != data["name"]}
    return page(
        "Event catalogue",
        [_INTRODUCTION],
        _envelope(lock.schema(lock.latest(topics[0].name))),
        sections,
        ["## Types", "", *(line for _, one in sorted(types.items()) for line in _named(one))],
        _raw([*DEAD_LETTERS.values(), REDRIVES, SCHEMAS, *CHANGELOGS.values()]),
    )


def catalogue(components: Sequence[Component]) -> str:
    """Return the catalogue of the committed registry and schemas."""
    return events(list(TOPICS.values()), Lock(), components)


def retention(milliseconds: int) -> str:
    """Return a retention time in words."""
    return "for ever" if milliseconds < 0 else f"{milliseconds / DAY_MS:g} days"


def _envelope(message: Schema) -> list[str]:
    fields = [field for field in message["fields"] if field["name"] != "data"]
    return ["## Envelope", "", *_fields(fields)]


def _topic(
    topic: Topic[msgspec.Struct], schema: Schema, lock: Lock, components: Sequence[Component]
) -> Iterator[str]:
    entry = lock.latest(topic.name)
    yield from (f"### {topic.name}", "", str(data_of(schema)["doc"]), "")
    partitions = "as configured (`ECOMMERCE_PARTITIONS`)" if topic.partitions is None else topic.partitions
    written = ", ".join(one.title for one in producers(components, topic.name))
    read = ", ".join(one.title for one in consumers(components, topic.name))
    yield from table(
        ("kind", "key", "schema id", "version", "partitions", "retention", "written by", "read by"),
        [
            (
                topic.kind.value,
                code(topic.key),
                entry.id,
                entry.version,
                partitions,
                retention(topic.retention_ms),
                written or "-",
                read or "-",
            )
        ],
    )
    yield from _fields(data_of(schema)["fields"])


def _named(schema: Schema) -> Iterator[str]:
    yield from (f"### {schema['name']}", "", str(schema.get("doc", "")), "")
    if schema["type"] == "enum":
        yield from ("One of " + ", ".join(code(symbol) for symbol in schema["symbols"]) + ".", "")
    else:
        yield from _fields(schema["fields"])


def _fields(fields: Sequence[Schema]) -> list[str]:
    return table(
        ("field", "type", "default"),
        ((code(field["name"]), type_text(field["type"]), _default(field)) for field in fields),
    )


def _default(field: Schema) -> str:
    return code(msgspec.json.encode(field["default"]).decode()) if "default" in field else "required"


def _raw(topics: Sequence[RawTopic]) -> list[str]:
    rows = [
        (
            code(topic.name),
            topic.cleanup.value,
            retention(topic.retention_ms),
            topic.partitions or "as configured",
        )
        for topic in topics
    ]
    head = ("topic", "cleanup", "retention", "partitions")
    said = "Dead letters hold a record's original bytes, with headers that say why; changelogs hold tables."
    return ["## Dead letters and changelogs", "", said, "", *table(head, rows)]
