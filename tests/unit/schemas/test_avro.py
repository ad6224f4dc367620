import re

import fastavro
import msgspec
import pytest

from schemas.avro import message_schema, without_logical_types
from schemas.compatibility import incompatibilities
from schemas.envelope import Message, derived_id, output_id
from topics.registry import TOPICS
from topics.topic import Topic

Before = msgspec.defstruct("Data", [("kept", str)])
Widened = msgspec.defstruct("Data", [("kept", str), ("added", int | None, None)])
Broken = msgspec.defstruct("Data", [("kept", str), ("demanded", int)])


class Strange(msgspec.Struct):
    value: complex


@pytest.mark.parametrize("topic", TOPICS.values(), ids=list(TOPICS))
def test_every_topics_schema_is_valid_avro(topic: Topic[msgspec.Struct]) -> None:
    fastavro.parse_schema(message_schema(topic.name, topic.data))


def test_times_carry_their_logical_type_for_readers_and_not_for_us() -> None:
    schema = message_schema("a.b.c", Before)
    (occurred,) = [field for field in schema["fields"] if field["name"] == "occurred_at"]
    assert occurred["type"] == {"type": "long", "logicalType": "timestamp-millis"}
    assert "logicalType" not in str(without_logical_types(schema))


def test_a_type_without_an_avro_form_is_named() -> None:
    with pytest.raises(TypeError, match=re.escape("field value: <class 'complex'> has no Avro form")):
        message_schema("a.b.c", Strange)


def test_a_field_with_a_default_may_be_added() -> None:
    assert incompatibilities(message_schema("a.b.c", Widened), message_schema("a.b.c", Before)) == []


def test_a_field_without_a_default_may_not() -> None:
    (reason, *_) = incompatibilities(message_schema("a.b.c", Broken), message_schema("a.b.c", Before))
    assert "demanded" in reason


def test_output_ids_depend_on_cause_and_place_only() -> None:
    cause = derived_id("a")
    assert output_id(cause, "t", 0) == output_id(cause, "t", 0)
    assert len({output_id(cause, "t", 0), output_id(cause, "t", 1), output_id(cause, "u", 0)}) == 3
    assert {field.name for field in msgspec.structs.fields(Message)} >= {"event_id", "causation_id", "data"}
