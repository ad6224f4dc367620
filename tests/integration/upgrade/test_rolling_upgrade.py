"""A rolling upgrade under load, and back: old and new workers and sinks side by side, on real servers.

The new release has a field more in every order event and an event type that the old one has never heard of.
"""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import msgspec
import psycopg
import pytest
from confluent_kafka import Producer

from deploy.records.position import Beginning
from deploy.records.reader import Reader
from deploy.records.record import Record
from schemas.cart import CartAdd, CartLine
from schemas.checkout import CheckoutRequested
from schemas.codec import UndecodableError, decode_fields, writer_of
from schemas.inventory import InventoryReceive
from schemas.lock import lock
from schemas.product import ProductCreate
from sinks.migrate import migrate
from tests import kafka_elsewhere
from tests.eventually import eventually
from tests.integration.upgrade.release import GIFT_NOTE, GREETED, HERE, next_release, run
from tests.stack import Stack, free_port_base
from topics import admin
from topics import registry as t
from topics.command import command
from topics.connection import librdkafka_options
from topics.schema_topic import other_releases
from topics.settings import Settings
from topics.topic import Topic
from topics.wire import encode

D = TypeVar("D", bound=msgspec.Struct)

SKUS = tuple(f"SKU-{number}" for number in range(10))
A_PHASE = 12
ROUNDS = 5
PATIENCE_S = 150


class Fleet:
    """Processes of releases, by name; each writes its own log."""

    def __init__(self, settings: Settings) -> None:
        self.environment = {
            "ECOMMERCE_DATA_DIR": str(settings.data_dir),
            **kafka_elsewhere.environment(settings),
            "ECOMMERCE_PORT_BASE": str(settings.port_base),
            "ECOMMERCE_POSTGRES": settings.postgres_dsn,
            "ECOMMERCE_REDIS": settings.redis_url,
        }
        self._logs = settings.data_dir / "fleet"
        self._logs.mkdir(parents=True)
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, release: Path, *arguments: str) -> None:
        # Two sinks side by side: each tells its figures on a port of its own.
        ports = {"ECOMMERCE_PORT_BASE": str(free_port_base())} if arguments == ("sink",) else {}
        with (self._logs / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                [Path(sys.executable).with_name("ecommerce"), *arguments],
                env={**os.environ, "PYTHONPATH": str(release), **self.environment, **ports},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def stop(self, *names: str) -> None:
        """Tell processes to end, as a deployment does, and wait until they have."""
        for name in names:
            self._running[name].send_signal(signal.SIGTERM)
        for name in names:
            assert self._running.pop(name).wait(60) in (0, -signal.SIGTERM), self.log(name)[-3000:]

    def log(self, name: str) -> str:
        return (self._logs / f"{name}.log").read_text()

    def wait_owning(self, *names: str) -> None:
        """Wait until workers have partitions."""
        for name in names:
            eventually(lambda name=name: "partitions owned" in self.log(name), seconds=PATIENCE_S)  # type: ignore[misc]

    def check(self) -> None:
        """Assert that nobody has died."""
        for name, process in self._running.items():
            assert process.poll() is None, f"{name} ended\n{self.log(name)[-3000:]}"

    def close(self) -> None:
        for process in self._running.values():
            process.kill()
            process.wait()


class Shoppers:
    """Buy, each a cart of one line, and remember what they have asked for."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._producer = Producer({**librdkafka_options(settings), "partitioner": "murmur2_random"})
        self.asked: list[str] = []

    def open_shop(self) -> None:
        for sku in SKUS:
            self._say(t.PRODUCT_CREATE, sku, ProductCreate(f"Product {sku}", 100, "GBP"))
            self._say(t.INVENTORY_RECEIVE, sku, InventoryReceive(f"opening-{sku}", 1_000, "opening"))
        self._flush()

    def wait_open(self, fleet: Fleet) -> None:
        """Wait until all that was delivered is in stock: what is asked for before may be refused."""

        def stocked() -> set[str | None]:
            fleet.check()
            return {record.key_text for record in records(self._settings, t.INVENTORY_UPDATED.name)}

        eventually(stocked, lambda found: found == set(SKUS), PATIENCE_S)

    def buy(self, count: int) -> None:
        for _ in range(count):
            cart, order, sku = str(uuid4()), str(uuid4()), SKUS[len(self.asked) % len(SKUS)]
            self._say(t.CART_ADD, cart, CartAdd((CartLine("1", sku, 1),)))
            self._say(
                t.CHECKOUT_REQUESTED, cart, CheckoutRequested(order, "GBP", "tok_visa", expected_lines=1)
            )
            self.asked.append(order)
        self._flush()

    def wait_confirmed(self, fleet: Fleet) -> None:
        """Wait until all that was asked for is confirmed."""

        def confirmed() -> int:
            fleet.check()
            return len({record.key for record in records(self._settings, t.ORDER_CONFIRMED.name)})

        eventually(confirmed, lambda found: found >= len(self.asked), PATIENCE_S)

    def _say(self, topic: Topic[D], key: str, data: D) -> None:
        self._producer.produce(topic.name, encode(topic, command(topic, key, data)), key)

    def _flush(self) -> None:
        assert self._producer.flush(30) == 0


def records(settings: Settings, *topics: str) -> list[Record]:
    with Reader(settings) as reader:
        return list(reader.read(reader.spans(topics, Beginning())))


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Stack]:
    """Servers of a test's own: what the next release leaves behind is nothing for other tests."""
    started = Stack(tmp_path / "stack")
    started.kafka()
    yield started
    started.close()


@pytest.fixture
def settings(servers: Stack) -> Settings:
    addresses = {"postgres": servers.fresh_database(), "redis": servers.fresh_redis()}
    return servers.settings.model_copy(update=addresses)


@pytest.fixture
def fleet(settings: Settings) -> Iterator[Fleet]:
    started = Fleet(settings)
    yield started
    started.close()


@pytest.mark.timeout(900)
def test_releases_run_side_by_side_and_back_and_nothing_is_lost(
    settings: Settings, fleet: Fleet, tmp_path: Path
) -> None:
    old, new = HERE, next_release(tmp_path / "next")
    run(new, "schemas", "update")
    admin.create(settings)
    migrate(settings)
    own = len(lock().entries)
    shoppers = Shoppers(settings)
    shoppers.open_shop()

    fleet.start("provider", old, "provider")
    fleet.start("gateway", old, "payment-gateway")
    fleet.start("old-sink", old, "sink")
    fleet.start("old-0", old, "worker", "--index", "0")
    fleet.start("old-1", old, "worker", "--index", "1")
    shoppers.wait_open(fleet)
    shoppers.buy(A_PHASE)
    shoppers.wait_confirmed(fleet)

    # The upgrade: the schemas first, then one new worker and one new sink beside the old ones.
    run(new, "topics", "create", **fleet.environment)
    shoppers.buy(A_PHASE)
    fleet.start("new-2", new, "worker", "--index", "2")
    fleet.start("new-sink", new, "sink")
    fleet.wait_owning("new-2")
    # Whose partition an order falls to is chance, but not for long.
    for _ in range(ROUNDS):
        shoppers.buy(A_PHASE)
        shoppers.wait_confirmed(fleet)
        side_by_side = written_by(settings, t.ORDER_PLACED)
        if max(side_by_side) > own:
            break

    # All new, under load.
    shoppers.buy(A_PHASE)
    fleet.stop("old-0", "old-1", "old-sink")
    shoppers.buy(A_PHASE)
    shoppers.wait_confirmed(fleet)

    # And back: what the new release has begun, the old one ends.
    fleet.start("old-3", old, "worker", "--index", "3")
    fleet.start("old-sink", old, "sink")
    shoppers.buy(A_PHASE)
    fleet.wait_owning("old-3")
    shoppers.buy(A_PHASE)
    fleet.stop("new-2", "new-sink")
    shoppers.buy(A_PHASE)
    shoppers.wait_confirmed(fleet)

    everything = len(shoppers.asked)
    assert ended(settings) == dict.fromkeys(shoppers.asked, t.CHECKOUT_COMPLETED.name)
    assert records(settings, *(topic.name for topic in t.DEAD_LETTERS.values())) == []
    assert min(side_by_side) <= own < max(side_by_side), "the releases did not write side by side"
    placed = written_by(settings, t.ORDER_PLACED)
    print(f"{everything} checkouts; order.placed by schema id: {dict(placed)}")  # noqa: T201
    assert records(settings, GREETED)
    eventually(lambda: confirmed_rows(settings), lambda rows: rows == everything, PATIENCE_S)
    with other_releases(settings):
        notes = {fields(record).get("gift_note") for record in records(settings, t.ORDER_PLACED.name)}
    assert notes == {None, GIFT_NOTE}
    fleet.check()


def fields(record: Record) -> dict[str, object]:
    data: dict[str, object] = decode_fields(record.value or b"")["data"]
    return data


def written_by(settings: Settings, topic: Topic[Any]) -> Counter[int]:
    with other_releases(settings):
        return Counter(writer_of(record.value or b"").id for record in records(settings, topic.name))


def ended(settings: Settings) -> dict[str, str]:
    """How each checkout ended: the one topic that says so."""
    found = records(settings, t.CHECKOUT_COMPLETED.name, t.CHECKOUT_FAILED.name)
    by_order = {(record.key_text or "", record.topic) for record in found}
    assert len({order for order, _ in by_order}) == len(by_order), "a checkout ended in both ways"
    return dict(by_order)


def confirmed_rows(settings: Settings) -> int:
    with psycopg.connect(settings.postgres_dsn) as connection:
        row = connection.execute("SELECT count(*) FROM orders WHERE status = 'confirmed'").fetchone()
        return 0 if row is None else int(row[0])


def test_an_id_that_no_release_has_published_is_refused_and_one_that_comes_later_is_found(
    servers: Stack, tmp_path: Path
) -> None:
    settings = servers.settings
    unknown = len(lock().entries) + 1
    value = b"\x00" + unknown.to_bytes(4, "big")
    admin.create(settings)
    with other_releases(settings):
        with pytest.raises(UndecodableError, match=f"schema id {unknown} is not in the registry"):
            writer_of(value)
        new = next_release(tmp_path / "next")
        run(new, "schemas", "update")
        run(new, "topics", "create", **Fleet(settings).environment)
        assert writer_of(value).id == unknown
    with pytest.raises(UndecodableError):
        decode_fields(b"\x00" + (unknown + 1).to_bytes(4, "big"))


def test_two_releases_that_gave_one_id_away_twice_are_told(servers: Stack, tmp_path: Path) -> None:
    new = next_release(tmp_path / "next")
    run(new, "schemas", "update")
    environment = Fleet(servers.settings).environment
    run(new, "topics", "create", **environment)
    other = next_release(tmp_path / "other")
    registry = other / "schemas" / "order.py"
    registry.write_text(registry.read_text().replace("gift_note", "greeting"))
    decide = other / "streams" / "order" / "decide.py"
    decide.write_text(decide.read_text().replace("gift_note", "greeting"))
    run(other, "schemas", "update")
    with pytest.raises(AssertionError, match="ids are assigned once"):
        run(other, "topics", "create", **environment)
