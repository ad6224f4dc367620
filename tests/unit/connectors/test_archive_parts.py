"""The archive's names and files, without a broker."""

import pyarrow.parquet as pq
from pyarrow import BufferReader

from connectors.archive.layout import DAY_MS, Stretch, first_day, stretch_of
from connectors.archive.parquet import columns, read, written
from connectors.runtime.record import Record
from schemas.order import OrderStatus
from schemas.service import ServicePong
from tests.odd_records import ODD
from tests.unit.sinks.messages import event, order, uid
from topics.registry import DEAD_LETTERS, ORDER_CONFIRMED, SERVICE_PONG, TOPICS
from topics.wire import encode

NOON = 1_767_268_800_000  # 2026-01-01T12:00:00Z


def record(offset: int, timestamp: int = NOON, value: bytes | None = b"\xff", topic: str = "t.a") -> Record:
    return Record(topic, 3, offset, timestamp, b"key", value, (("name", b"\x80"), ("name", b"again")))


def test_a_name_says_where_the_file_begins() -> None:
    stretch = Stretch("ecommerce.order.placed", 3, 17, "2026-01-01")
    assert stretch.path == "topic=ecommerce.order.placed/date=2026-01-01/00003-00000000000000000017.parquet"
    assert stretch_of(stretch.path) == stretch
    assert stretch_of("topic=a/date=2026-01-01/notes.txt") is None


def test_a_file_ends_where_the_day_does() -> None:
    records = [record(5), record(7), record(8, NOON + DAY_MS), record(9)]
    stretch, day = first_day(records)
    assert (stretch.first, stretch.date, [each.offset for each in day]) == (5, "2026-01-01", [5, 7])
    stretch, day = first_day(records[2:])
    assert (stretch.first, stretch.date, [each.offset for each in day]) == (8, "2026-01-02", [8])


def test_a_time_that_is_no_date_has_a_place_too() -> None:
    for timestamp in (-1, 2**63 - 1, -(2**62)):
        stretch, _ = first_day([record(1, timestamp)])
        assert stretch_of(stretch.path) == stretch
        assert stretch.date == "9999-12-31"


def test_every_type_of_message_has_columns_that_take_it() -> None:
    pong = ServicePong("1", "sink", "a", healthy=True, started_at=NOON, details={"postgres": "up"})
    value = encode(SERVICE_PONG, event(SERVICE_PONG, uid("pong"), 0, pong))
    table = pq.read_table(
        BufferReader(written(SERVICE_PONG.name, [record(1, value=value, topic=SERVICE_PONG.name)]))
    )
    assert dict(table["data"][0].as_py()["details"]) == {"postgres": "up"}
    assert all(columns(name) for name in TOPICS)


def test_bytes_come_back_as_they_were() -> None:
    letters = DEAD_LETTERS["order"].name
    records = [record(1, topic=letters), record(2, value=None, topic=letters)]
    assert list(read(letters, written(letters, records))) == records


def test_what_a_message_says_stands_beside_its_bytes_typed() -> None:
    topic = ORDER_CONFIRMED
    said = event(topic, uid("order"), 2, order(OrderStatus.CONFIRMED))
    value = encode(topic, said)
    records = [record(1, value=value, topic=topic.name), record(2, topic=topic.name)]
    table = pq.read_table(BufferReader(written(topic.name, records)))
    assert table["value"].to_pylist() == [value, b"\xff"]
    assert table["event_id"].to_pylist() == [said.event_id, None]
    assert table["data"][0].as_py()["total"] == said.data.total
    assert table["data"][0].as_py()["lines"][0]["sku"] == said.data.lines[0].sku
    assert str(table.schema.field("occurred_at").type) == "timestamp[ms, tz=UTC]"
    assert table["error"].to_pylist()[0] is None
    assert "too short" in table["error"].to_pylist()[1]


def test_odd_records_are_kept_as_the_broker_had_them() -> None:
    good = encode(ORDER_CONFIRMED, event(ORDER_CONFIRMED, uid("order"), 1, order()))
    kept = []
    for offset, odd in enumerate(ODD.values()):
        key, value = odd.of(b"key", good)
        at = -1 if odd.timestamp == -1 else NOON
        headers = tuple((str(name), value) for name, value in odd.headers)
        kept.append(Record(ORDER_CONFIRMED.name, 3, offset, at, key, value, headers))
    file = written(ORDER_CONFIRMED.name, kept)
    assert list(read(ORDER_CONFIRMED.name, file)) == kept
    errors = pq.read_table(BufferReader(file))["error"].to_pylist()
    assert sum(error is not None for error in errors) >= 6
