import csv
import io
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import msgspec
import pyarrow.parquet as pq
import pytest
from confluent_kafka import Producer

from deploy.records.recording import read_recording
from schemas.cart import CartAdd, CartLine
from schemas.order import OrderCancel
from tests.eventually import eventually
from tests.integration.cli.conftest import Ecommerce
from topics.command import command
from topics.connection import KafkaOptions
from topics.registry import CART_ADD, INVENTORY_LOW_STOCK, ORDER_CANCEL
from topics.settings import Settings
from topics.wire import encode


@dataclass(frozen=True)
class Carts:
    ids: list[str]
    start: int  # ms; a later test's are later, as in a real topic

    def iso(self, milliseconds: int) -> str:
        return datetime.fromtimestamp((self.start + milliseconds) / 1000, UTC).isoformat()


@pytest.fixture
def carts(topics_created: KafkaOptions) -> Carts:
    """Four carts' adds and cancels, 5 ms apart; a tombstone and a poisoned record where no consumer reads."""
    start = time.time_ns() // 1_000_000
    producer = Producer({**topics_created, "partitioner": "murmur2_random"})
    ids = [str(uuid4()) for _ in range(4)]
    for index, cart_id in enumerate(ids):
        line = CartLine(line_id="A", sku="A", quantity=index + 1)
        message = command(CART_ADD, cart_id, CartAdd(lines=(line,)), occurred_at=start)
        producer.produce(
            CART_ADD.name,
            encode(CART_ADD, message),
            cart_id,
            timestamp=start + 10 * index,
            headers={"traceparent": "00-abc"},
        )
        cancel = command(ORDER_CANCEL, cart_id, OrderCancel(reason="test"), occurred_at=start)
        producer.produce(
            ORDER_CANCEL.name, encode(ORDER_CANCEL, cancel), cart_id, timestamp=start + 10 * index + 5
        )
    producer.produce(INVENTORY_LOW_STOCK.name, None, ids[0], timestamp=start)
    producer.produce(INVENTORY_LOW_STOCK.name, b"poison", ids[1], timestamp=start + 1)
    assert producer.flush(30) == 0
    return Carts(ids, start)


def keys(*ids: str) -> list[str]:
    return [part for one in ids for part in ("--key", one)]


def rows(text: str) -> list[dict[str, object]]:
    return [msgspec.json.decode(line) for line in text.splitlines()]


def test_decodes_records_with_envelope_and_data(ecommerce: Ecommerce, carts: Carts) -> None:
    done = ecommerce("tap", "cart.add", "--key", carts.ids[2])
    assert done.code == 0, done.err
    (row,) = rows(done.out)
    assert row["event_type"] == CART_ADD.name
    line = {"line_id": "A", "sku": "A", "quantity": 3, "agreed_price": None, "incarnation": None}
    assert row["data"] == {"lines": [line]}
    assert row["headers"] == {"traceparent": "00-abc"}


def test_merges_several_topics_by_time(ecommerce: Ecommerce, carts: Carts) -> None:
    done = ecommerce("tap", "cart.add", "order.canc*", *keys(*carts.ids))
    seen = [(row["key"], row["topic"]) for row in rows(done.out)]
    assert seen == [(one, topic.name) for one in carts.ids for topic in (CART_ADD, ORDER_CANCEL)]


def test_filters_by_expression_and_limit(ecommerce: Ecommerce, carts: Carts) -> None:
    few = ecommerce(
        "tap", "cart.add", *keys(*carts.ids), "--where", "data.lines[0].quantity >= 2", "--limit", "2"
    )
    assert [row["key"] for row in rows(few.out)] == carts.ids[1:3]
    none = ecommerce("tap", "cart.add", *keys(*carts.ids), "--where", "data.total > 3")
    assert none.out == ""
    assert "4 records have no total" in none.err


def test_takes_times_as_bounds(ecommerce: Ecommerce, carts: Carts) -> None:
    bounds = ("--from", carts.iso(10), "--until", carts.iso(30))
    done = ecommerce("tap", "cart.add", *keys(*carts.ids), *bounds)
    assert [row["key"] for row in rows(done.out)] == carts.ids[1:3]


def test_shows_tombstones_and_poisoned_records(ecommerce: Ecommerce, carts: Carts) -> None:
    done = ecommerce("tap", "inventory.low_stock", *keys(*carts.ids))
    tombstone, poison = rows(done.out)
    assert tombstone["tombstone"] is True
    assert "magic byte is 112" in str(poison["error"])
    assert poison["value"] == "cG9pc29u"
    for form in ("pretty", "table", "csv"):
        shown = ecommerce("tap", "inventory.low_stock", *keys(*carts.ids), "--format", form)
        assert shown.code == 0, shown.err
        assert "magic byte is 112" in shown.out


def test_writes_csv_with_a_column_per_field(ecommerce: Ecommerce, carts: Carts) -> None:
    done = ecommerce("tap", "order.cancel", *keys(*carts.ids), "--format", "csv")
    table = list(csv.DictReader(io.StringIO(done.out)))
    assert [(row["key"], row["data.reason"], row["data.staff"]) for row in table] == [
        (one, "test", "false") for one in carts.ids
    ]


def test_writes_parquet_with_nested_types(ecommerce: Ecommerce, carts: Carts, tmp_path: Path) -> None:
    target = tmp_path / "adds.parquet"
    done = ecommerce("tap", "cart.add", *keys(*carts.ids), "--format", "parquet", "--output", str(target))
    assert "4 records written" in done.err
    table = pq.read_table(target).to_pylist()
    assert [row["data"]["lines"][0]["quantity"] for row in table] == [1, 2, 3, 4]
    assert table[0]["occurred_at"].timestamp() * 1000 == carts.start


def test_records_bytes_headers_and_tombstones(ecommerce: Ecommerce, carts: Carts, tmp_path: Path) -> None:
    target = tmp_path / "cart.avro"
    done = ecommerce("tap", "cart.add", "inventory.low*", *keys(*carts.ids), "--record", str(target))
    assert done.code == 0, done.err
    recorded = list(read_recording(target))
    assert len(recorded) == 6
    assert {record.value for record in recorded if record.topic == INVENTORY_LOW_STOCK.name} == {
        None,
        b"poison",
    }
    assert recorded[-1].headers == (("traceparent", b"00-abc"),)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("tap", "cart.ad"), "no topic is called cart.ad (did you mean cart.add?)"),
        (("tap", "cart.add", "--from", "noon"), "--from: 'noon' is no position"),
        (("tap", "cart.add", "--where", "data. == 1"), "--where: invalid syntax"),
        (("tap", "cart.add", "--where", "open('x')"), "--where: Function 'open' not defined"),
        (("tap", "cart.add", "--format", "parquet"), "name the file with --output"),
        (("tap", "cart.add", "--record", "x", "--format", "csv"), "--record: writes a recording"),
        (("tap", "cart.add", "--output", "/nowhere/x.json"), "--output /nowhere/x.json: No such file"),
    ],
)
@pytest.mark.usefixtures("carts")
def test_refuses_in_one_clear_line(ecommerce: Ecommerce, arguments: tuple[str, ...], message: str) -> None:
    done = ecommerce(*arguments)
    assert done.code in (1, 2)
    assert message in done.err
    assert len(done.err.splitlines()) == 1


def test_says_where_no_broker_answers(ecommerce: Ecommerce, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECOMMERCE_KAFKA", "127.0.0.1:1")
    done = ecommerce("tap", "cart.add")
    assert done.code == 1
    assert done.err == "error: no Kafka answers at 127.0.0.1:1: start it with `ecommerce up`\n"


def test_follows_until_it_has_what_it_was_asked_for(topics_created: KafkaOptions, settings: Settings) -> None:
    given = settings.model_dump(exclude_none=True)
    variables = {f"ECOMMERCE_{name.upper()}": str(value) for name, value in given.items()}
    arguments = ("--follow", "--limit", "1", "--format", "json", "--key", "followed")
    following = subprocess.Popen(
        [Path(sys.executable).with_name("ecommerce"), "tap", INVENTORY_LOW_STOCK.name, *arguments],
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        text=True,
    )
    producer = Producer(topics_created)

    def ended() -> bool:
        # Following begins at the end of the topic, so what came before its start is not for it.
        producer.produce(INVENTORY_LOW_STOCK.name, b"poison", "followed")
        assert producer.flush(30) == 0
        return following.poll() is not None

    try:
        eventually(ended, seconds=60)
        out, _ = following.communicate(timeout=30)
    finally:
        following.kill()
    (row,) = rows(out)
    assert (following.returncode, row["key"]) == (0, "followed")
