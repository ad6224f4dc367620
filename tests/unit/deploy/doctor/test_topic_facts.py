from typing import Any

import msgspec

from deploy.doctor.examination import moved
from deploy.doctor.topic_facts import load
from deploy.records.record import Record
from deploy.records.span import Span
from schemas.envelope import Message, derived_id
from schemas.product import ProductSnapshot
from streams.kernel.layout import part_key, position_key
from tables.inventory.stock import STOCK, Page, Reservation, Settled, Settlement, Stock
from tables.parts import Parts
from tables.product import PRODUCT, Product
from topics import registry as t
from topics.topic import Topic
from topics.wire import encode

SNAPSHOT = ProductSnapshot("Lamp", "", (), 150, "GBP", 1, active=True, created_at=1, updated_at=1)


def event(topic: Topic[Any], key: str, version: int, data: msgspec.Struct) -> Record:
    message = Message(
        event_id=derived_id(topic.name, key, str(version)),
        event_type=topic.name,
        aggregate_id=key,
        aggregate_type=topic.aggregate,
        aggregate_version=version,
        occurred_at=1,
        source="test",
        correlation_id="c",
        data=data,
    )
    return Record(topic.name, 0, version, 1, key.encode(), encode(topic, message))


def test_takes_the_newest_event_whatever_the_order_of_topics() -> None:
    later = event(t.PRODUCT_DELETED, "A", 2, msgspec.structs.replace(SNAPSHOT, active=False))
    first = event(t.PRODUCT_CREATED, "A", 1, SNAPSHOT)
    _, events = load([later, first, first])
    history = events.products["A"]
    assert (history.version, history.newest["active"], history.contradictions) == (2, False, [])
    assert sorted(history.ids) == [1, 2]


def test_reads_tables_without_the_kernels_own_keys_and_with_deletions() -> None:
    topic = t.CHANGELOGS["product"].name
    state = PRODUCT.encode(Product(SNAPSHOT, 1))
    tables, _ = load(
        [
            Record(topic, 0, 0, 1, position_key("ecommerce.product.create"), b"5"),
            Record(topic, 0, 1, 1, b"A", state),
            Record(topic, 0, 2, 1, b"B", state),
            Record(topic, 0, 3, 1, b"B", None),
        ]
    )
    assert tables[PRODUCT] == {"A": Product(SNAPSHOT, 1)}


def test_reads_open_reservations_by_sku_and_order() -> None:
    topic, held = STOCK.changelog.name, Reservation(2, ())
    entry = STOCK.encode_part(held)
    marker = STOCK.encode_part(Settled(Settlement.COMMITTED))
    tables, _ = load(
        [
            Record(topic, 0, 0, 1, b"A", STOCK.encode(Stock(reserved=2, open=1, orders=Parts(1)))),
            Record(topic, 0, 1, 1, part_key(b"A", "order-1"), entry),
            Record(topic, 0, 2, 1, part_key(b"A", "order-2"), entry),
            Record(topic, 0, 3, 1, part_key(b"A", "order-1"), None),
            Record(topic, 0, 4, 1, part_key(b"A", "order-3"), entry),
            Record(topic, 0, 5, 1, part_key(b"A", "order-3"), marker),
            Record(topic, 0, 6, 1, part_key(b"A", "page-0"), STOCK.encode_part(Page(("order-3",), 1, 1))),
        ]
    )
    assert tables[STOCK]["A"].open == 1
    assert tables.reservations == {"A": {"order-2": held}}


def test_a_poisoned_event_is_no_fact() -> None:
    _, events = load([Record(t.PRODUCT_CREATED.name, 0, 0, 1, b"A", b"poison")])
    assert not events.products


def test_names_topics_that_grew_between_two_looks() -> None:
    before = [Span("a", 0, 0, 5), Span("a", 1, 0, 5), Span("b", 0, 0, 1)]
    after = [Span("a", 0, 0, 5), Span("a", 1, 0, 6), Span("b", 0, 0, 1)]
    assert moved(before, after) == ["a"]
    assert moved(before, before) == []
