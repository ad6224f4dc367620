"""Fields of a newer release are kept beside the message, and nobody else pays for that."""

import pytest

from schemas.codec import UndecodableError
from schemas.drift import DriftedMessage, left_out, writes_more
from schemas.envelope import Message
from schemas.lock import lock
from tests.unit.schemas.newer import newer_schema, written
from tests.unit.sinks.messages import event, order, uid
from topics.registry import ORDER_PLACED
from topics.wire import decode, encode

NOTE = {"name": "gift_note", "type": ["null", "string"], "default": None}
COLOUR = {"name": "colour", "type": "string", "default": "none"}
PLACE = {"name": "place", "type": ["null", "string"], "default": None}
MESSAGE = event(ORDER_PLACED, uid("order"), 1, order())


def test_fields_of_a_newer_release_are_kept_where_they_stood(monkeypatch: pytest.MonkeyPatch) -> None:
    schema = newer_schema(ORDER_PLACED.name, {"OrderSnapshot": NOTE, "OrderLine": COLOUR, "Message": PLACE})
    value = written(
        monkeypatch,
        schema,
        MESSAGE,
        {
            "place": "Leeds",
            "data": {"gift_note": "with love", "lines": [{"colour": "red"}, {"colour": "blue"}]},
        },
    )
    read = decode(ORDER_PLACED, value)
    assert isinstance(read, DriftedMessage)
    assert read.unknown == {
        "place": "Leeds",
        "data": {"gift_note": "with love", "lines": [{"colour": "red"}, {"colour": "blue"}]},
    }
    assert (read.data, read.event_id) == (MESSAGE.data, MESSAGE.event_id)
    assert decode(ORDER_PLACED, encode(ORDER_PLACED, read)) == MESSAGE, "what is written is this release's"


def test_a_message_of_this_release_is_a_plain_one() -> None:
    assert type(decode(ORDER_PLACED, encode(ORDER_PLACED, MESSAGE))) is Message


def test_a_newer_record_that_is_cut_off_is_undecodable(monkeypatch: pytest.MonkeyPatch) -> None:
    value = written(
        monkeypatch,
        newer_schema(ORDER_PLACED.name, {"OrderSnapshot": NOTE}),
        MESSAGE,
        {"data": {"gift_note": "with love"}},
    )
    with pytest.raises(UndecodableError, match="not Avro of"):
        decode(ORDER_PLACED, value[:-3])


def test_only_a_writer_with_more_fields_is_read_twice() -> None:
    ours = lock().schema(lock().latest(ORDER_PLACED.name))
    for record, field in (("OrderSnapshot", NOTE), ("OrderLine", COLOUR), ("Message", PLACE)):
        newer = newer_schema(ORDER_PLACED.name, {record: field})
        assert writes_more(newer, ours), record
        assert not writes_more(ours, newer), "an older writer has less, not more"
    assert not writes_more(ours, ours)


def test_nothing_left_out_is_nothing() -> None:
    assert left_out({"a": [{"b": 1}], "c": {}}, {"a": [{"b": 1}], "c": {}}) is None
    assert left_out({"a": [{"b": 1}, {"b": 2, "x": 3}]}, {"a": [{"b": 1}, {"b": 2}]}) == {"a": [{}, {"x": 3}]}
