from deploy.records.record import Record
from deploy.tap.decoding import decode
from schemas.cart import CartClear
from schemas.product import ProductSnapshot
from streams.kernel.layout import OUTBOX, encode_outbox, part_key, position_key
from streams.kernel.ports import Output
from tables.inventory.stock import STOCK, Reservation, Stock
from tables.parts import Parts
from tables.product import PRODUCT, Product
from topics.command import command
from topics.registry import CART_CLEAR, CHANGELOGS
from topics.wire import encode


def record(topic: str, key: bytes | None, value: bytes | None) -> Record:
    return Record(topic, 1, 2, 3, key, value, (("odd", b"\xff"), ("none", None)))


def test_gives_place_envelope_and_data() -> None:
    message = command(CART_CLEAR, "c1", CartClear(order_id="o1"), occurred_at=5)
    row = decode(record(CART_CLEAR.name, b"c1", encode(CART_CLEAR, message)))
    assert (row["partition"], row["offset"], row["timestamp"], row["key"]) == (1, 2, 3, "c1")
    assert row["headers"] == {"odd": "\\xff", "none": None}
    assert row["event_id"] == message.event_id
    assert row["occurred_at"] == 5
    assert row["data"] == {"order_id": "o1"}


def test_shows_a_tombstone() -> None:
    row = decode(record(CART_CLEAR.name, b"c1", None))
    assert row["tombstone"] is True
    assert row["data"] is None


def test_shows_why_a_value_cannot_be_read() -> None:
    row = decode(record(CART_CLEAR.name, b"\xfe", b"\x00\x00\x00\xff\xff1"))
    assert row["key"] == "\\xfe"
    assert row["error"] == "value: schema id 65535 is not in the registry"
    assert row["value"] == "AAAA//8x"


def test_reads_a_changelogs_states_and_the_kernels_own_records() -> None:
    snapshot = ProductSnapshot("n", "d", (), 1, "GBP", 1, active=True, created_at=1, updated_at=1)
    topic = CHANGELOGS["product"].name
    state = decode(record(topic, b"sku", PRODUCT.encode(Product(snapshot, 7))))
    assert state["data"]["version"] == 7
    assert state["data"]["snapshot"]["name"] == "n"
    assert decode(record(topic, position_key("t"), b"41"))["data"] == "41"
    outbox = decode(record(topic, OUTBOX, encode_outbox([Output("t", b"k", b"v")])))
    assert outbox["data"] == [{"topic": "t", "key": "k"}]
    assert "error" in decode(record(topic, b"sku", b"\xc1"))


def test_reads_a_stock_and_its_reservations() -> None:
    topic = STOCK.changelog.name
    stock = decode(record(topic, b"sku", STOCK.encode(Stock(reserved=2, open=1, orders=Parts(1)))))
    assert (stock["data"]["reserved"], stock["data"]["orders"]) == (2, 1)
    held = decode(record(topic, part_key(b"sku", "order"), STOCK.encode_part(Reservation(2, ()))))
    assert held["data"] == {"type": "reservation", "quantity": 2, "lines": ()}
