from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.runtime.record import Record
from schemas.inventory import Movement, MovementKind
from schemas.order import OrderLine, OrderRejected, OrderStatus
from sinks.cart.projectors import abandoned_cart_row, cart_value
from sinks.columns import instant
from sinks.dead_letters.projectors import dead_letter_row
from sinks.inventory.projectors import stock_level_row, stock_movement_row
from sinks.order.document import order_document
from sinks.order.projectors import order_event_row, order_rejected_rows, order_rows
from sinks.order.rows import OrderChargeRow, OrderEventRow, OrderLineRow, OrderRow
from sinks.payment.projectors import payment_row
from sinks.product.document import availability_patch, product_patch
from sinks.product.projectors import product_row
from tests.unit.sinks.messages import NOW, abandoned, cart, event, order, payment, product, stock, uid
from topics import registry as t

ORDER = uid("order")


def test_a_product() -> None:
    (row,) = product_row(event(t.PRODUCT_CREATED, "85123A", 4, product(categories=("Lighting",))))
    assert (row.sku, row.price, row.currency, row.categories) == ("85123A", 255, "GBP", ["Lighting"])
    assert (row.version, row.active) == (4, True)
    assert row.created_at == datetime.fromtimestamp(NOW / 1000, UTC)


def test_stock_is_a_level_and_a_movement() -> None:
    message = event(
        t.INVENTORY_UPDATED,
        "85123A",
        7,
        stock(10, reserved=2, movement=Movement(MovementKind.RESERVE, 2, ORDER, "order")),
    )
    (level,), (movement,) = stock_level_row(message), stock_movement_row(message)
    assert (level.on_hand, level.reserved, level.available, level.version) == (12, 2, 10, 7)
    assert (movement.version, movement.kind, movement.quantity) == (7, "reserve", 2)
    assert (movement.reference, movement.reason) == (ORDER, "order")


def test_an_order_with_its_lines_charges_and_event() -> None:
    message = event(t.ORDER_CONFIRMED, ORDER, 2, order(OrderStatus.CONFIRMED, reason="r"))
    head, first, second, charge = order_rows(message)
    (happened,) = order_event_row(message)
    assert isinstance(head, OrderRow)
    assert (head.order_id, head.status, head.kind, head.country) == (
        UUID(ORDER),
        "confirmed",
        "sale",
        "United Kingdom",
    )
    assert (head.goods, head.charged, head.total, head.version) == (2208, 1800, 4008, 2)
    assert head.placed_at == datetime(2010, 12, 1, 8, 26, tzinfo=UTC)
    assert isinstance(first, OrderLineRow)
    assert isinstance(second, OrderLineRow)
    assert [(line.line_id, line.ordinal, line.unit_price) for line in (first, second)] == [
        ("85123A", 1, 255),
        ("71053", 2, 339),
    ]
    assert charge == OrderChargeRow(UUID(ORDER), 1, "POST", "Postage", 1, 1800)
    assert isinstance(happened, OrderEventRow)
    assert (happened.event_type, happened.status) == (t.ORDER_CONFIRMED.name, "confirmed")
    assert msgspec.json.decode(happened.detail)["total"] == 4008


def test_an_order_without_an_address_or_a_known_price() -> None:
    bare = order(address=None, cart_id=None, user_id=None, lines=(OrderLine("a", "a", 1),), charges=())
    head, line = order_rows(event(t.ORDER_PLACED, ORDER, 1, bare))
    assert isinstance(head, OrderRow)
    assert (head.address, head.country, head.cart_id, head.user_id) == (None, None, None, None)
    assert isinstance(line, OrderLineRow)
    assert (line.name, line.unit_price) == (None, None)


@pytest.mark.parametrize("status", [None, OrderStatus.SHIPPED])
def test_a_refused_command_is_an_event_of_its_order(status: OrderStatus | None) -> None:
    data = OrderRejected("ecommerce.order.cancel", "illegal_move", "status", "already shipped", status)
    (row,) = order_rejected_rows(event(t.ORDER_REJECTED, ORDER, 5, data))
    assert row.status == (None if status is None else "shipped")
    assert msgspec.json.decode(row.detail)["reason"] == "illegal_move"


def test_a_payment() -> None:
    (row,) = payment_row(event(t.PAYMENT_COMPLETED, ORDER, 3, payment()))
    assert (row.order_id, row.status, row.amount, row.version) == (UUID(ORDER), "authorised", 4008, 3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cart_id": "no-uuid"}, "cart_id: 'no-uuid' is not a UUID"),
        ({"placed_at": 2**60}, "placed_at: 1152921504606846976 ms is no time of the years 1 to 9999"),
    ],
)
def test_what_no_column_can_hold_is_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        order_rows(event(t.ORDER_PLACED, ORDER, 1, order(**changes)))


@given(st.integers(-62_135_596_800_000, 253_402_300_799_999))
def test_an_instant_keeps_its_milliseconds(ms: int) -> None:
    assert instant("at", ms) - datetime(1970, 1, 1, tzinfo=UTC) == timedelta(milliseconds=ms)


def test_a_living_cart() -> None:
    (value,) = cart_value(event(t.CART_UPDATED, uid("cart"), 3, cart("a", "b")))
    assert (value.key, value.version) == (f"cart:{uid('cart')}", 3)
    view = msgspec.json.decode(value.json)
    assert view["version"] == 3
    assert [line["sku"] for line in view["lines"]] == ["a", "b"]


def test_an_abandoned_cart() -> None:
    (row,) = abandoned_cart_row(event(t.CART_ABANDONED, uid("cart"), 9, abandoned("a")))
    assert row.cart_id == UUID(uid("cart"))
    assert msgspec.json.decode(row.lines)[0]["sku"] == "a"
    assert row.abandoned_at > row.last_active_at


def test_a_product_and_its_availability_are_parts_of_one_document() -> None:
    (named,) = product_patch(event(t.PRODUCT_CREATED, "85123A", 4, product()))
    (left,) = availability_patch(event(t.INVENTORY_UPDATED, "85123A", 9, stock(3)))
    assert (named.alias, named.id) == (left.alias, left.id)
    assert (named.guard, named.version) == ("version", 4)
    assert (left.guard, left.version, left.fields) == ("stock_version", 9, {"available": 3, "sold": 0})


def test_an_order_document_has_what_reports_add_up() -> None:
    (document,) = order_document(event(t.ORDER_PLACED, ORDER, 2, order()))
    assert (document.id, document.version) == (ORDER, 2)
    assert (document.source["line_count"], document.source["units"], document.source["charge_count"]) == (
        2,
        8,
        1,
    )
    assert document.source["customer"] == "A Shopper"
    (bare,) = order_document(event(t.ORDER_PLACED, ORDER, 2, order(address=None)))
    assert bare.source["country"] is None


def letter(headers: dict[str, bytes], key: bytes | None = b"k", value: bytes | None = b"v") -> Record:
    return Record("ecommerce.dlq.cart", 0, 12, NOW, key, value, tuple(headers.items()))


def test_a_dead_letter() -> None:
    (row,) = dead_letter_row(
        letter(
            {
                "id": b"x",
                "reason": b"undecodable",
                "error": b"value: too short",
                "source_topic": b"ecommerce.cart.add",
                "source_partition": b"3",
                "source_offset": b"99",
                "attempt": b"2",
                "failed_at": b"1000",
            }
        )
    )
    assert (row.id, row.domain, row.reason, row.attempt) == ("x", "cart", "undecodable", 2)
    assert (row.source_topic, row.source_partition, row.source_offset) == ("ecommerce.cart.add", 3, 99)
    assert row.failed_at == datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)
    assert row.value == b"v"


def test_a_dead_letter_without_an_id_is_told_by_its_place() -> None:
    for headers in ({}, {"id": b""}, {"id": b"x" * 3000}):
        (row,) = dead_letter_row(letter(headers))
        assert row.id == "ecommerce.dlq.cart:0:12"
        assert (row.reason, row.attempt, row.failed_at) == ("unknown", 1, instant("", NOW))


HEADER = st.sampled_from(("id", "reason", "error", "stack", "attempt", "failed_at", "source_offset", "x"))


@given(
    st.dictionaries(HEADER, st.binary(max_size=30) | st.integers().map(lambda n: str(n).encode())),
    st.none() | st.binary(max_size=20),
    st.none() | st.binary(max_size=20),
)
def test_whatever_a_letter_holds_it_becomes_a_row(
    headers: dict[str, bytes], key: bytes | None, value: bytes | None
) -> None:
    (row,) = dead_letter_row(letter(headers, key, value))
    texts = [row.id, row.reason, row.key or "", row.error or "", row.stack or "", row.headers]
    assert not any("\x00" in text for text in texts)
    assert "\\u0000" not in row.headers
    assert 0 < row.attempt < 2**31
    assert row.source_offset is None or 0 <= row.source_offset < 2**63
    assert row.value == value
