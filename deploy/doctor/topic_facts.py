"""Facts from topics: the tables from their changelogs, and what the events say."""

from collections.abc import Callable, Iterable
from typing import Any

from deploy.doctor import gathered
from deploy.doctor.facts import Events, Tables, Take, kept_in
from deploy.records.record import Record
from deploy.records.tables import TABLES
from schemas.codec import UndecodableError, decode_fields
from streams.kernel.layout import is_state, split_part
from tables.inventory.stock import Reservation
from topics import registry as t
from topics.order import ORDER_EVENTS
from topics.payment import PAYMENT_EVENTS
from topics.product import PRODUCT_EVENTS


def _captured(events: Events, message: dict[str, Any]) -> None:
    events.captures[message["aggregate_id"]].add(message["event_id"])
    _payment(events, message)


def _started(events: Events, message: dict[str, Any]) -> None:
    events.started[message["aggregate_id"]] = message["data"]["deadline_at"]


def _completed(events: Events, message: dict[str, Any]) -> None:
    events.ends[message["aggregate_id"]].completed.add(message["event_id"])


def _failed(events: Events, message: dict[str, Any]) -> None:
    events.ends[message["aggregate_id"]].failed.add(message["event_id"])


def _moved(events: Events, message: dict[str, Any]) -> None:
    events.movements[message["aggregate_id"]].add(message["aggregate_version"], message["data"])


def _cart(events: Events, message: dict[str, Any]) -> None:
    key, version = message["aggregate_id"], message["aggregate_version"]
    if version >= events.carts.get(key, (0, {}))[0]:
        events.carts[key] = version, message["data"]


_order = kept_in(lambda events: events.orders)
_payment = kept_in(lambda events: events.payments)
_product = kept_in(lambda events: events.products)

TAKES: dict[str, Take] = {
    t.CHECKOUT_STARTED.name: _started,
    t.CHECKOUT_COMPLETED.name: _completed,
    t.CHECKOUT_FAILED.name: _failed,
    t.INVENTORY_UPDATED.name: _moved,
    t.CART_UPDATED.name: _cart,
    **{topic.name: _order for topic in ORDER_EVENTS},
    **{topic.name: _payment for topic in PAYMENT_EVENTS},
    t.PAYMENT_CAPTURED.name: _captured,
    **{topic.name: _product for topic in PRODUCT_EVENTS},
    **gathered.TAKES,
}
"""What to remember of each event topic."""

SOURCES = (*TAKES, *TABLES)


def load(records: Iterable[Record]) -> tuple[Tables, Events]:
    """Return the facts of all records of `SOURCES`, each partition in its order.

    A poisoned event is a dead letter, not a fact, and left out.
    """
    tables, events = Tables(), Events()
    for record in records:
        if record.topic in TABLES:
            _state(tables, record)
        elif record.value is not None:
            try:
                message = decode_fields(record.value)
            except UndecodableError:
                continue
            TAKES[record.topic](events, message)
    return tables, events


def _state(tables: Tables, record: Record) -> None:
    key = record.key or b""
    table = TABLES[record.topic]
    if part := split_part(key):
        # The stock's orders are the only parts that there are.
        of, name = part
        kept = None if record.value is None else table.decode_part(record.value)
        if isinstance(kept, Reservation):
            tables.reservations[of.decode()][name] = kept
        else:
            tables.reservations[of.decode()].pop(name, None)
    elif key and is_state(key):
        _put(tables[table], key.decode(), record.value, table.decode)


def _put(entries: dict[str, Any], key: str, value: bytes | None, decode: Callable[[bytes], Any]) -> None:
    if value is None:
        entries.pop(key, None)
    else:
        entries[key] = decode(value)
