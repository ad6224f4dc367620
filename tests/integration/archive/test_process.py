"""The archive's process, killed under load; and what reads its files."""

import asyncio
import os
import subprocess
import sys
import uuid
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import polars as pl
import pytest
from obstore.store import ObjectStore, from_url

from connectors.archive.reader import in_time_order
from connectors.archive.store import ArchiveStore
from connectors.runtime.record import Record
from deploy.records.position import Beginning
from deploy.records.reader import Reader
from deploy.replay.source import Stretch, from_archive
from schemas.codec import decode_fields
from schemas.order import OrderStatus
from sinks import archive
from sinks.verify.spans import committed
from tests import kafka_elsewhere
from tests.child import child
from tests.eventually import eventually_async
from tests.integration.archive import s3
from tests.integration.sinks.views import Event, publish
from tests.unit.sinks.messages import event, order, uid
from topics import registry as t
from topics.connection import KafkaOptions
from topics.producer import MessageProducer
from topics.settings import Settings

ORDERS = 300
TOPICS = [t.ORDER_PLACED.name, t.ORDER_CONFIRMED.name]
PROGRAM = "from deploy.run.archive import archive; archive()"


def story(name: str) -> list[Event]:
    keys = [uid(f"{name}-{number}") for number in range(ORDERS)]
    placed = [(t.ORDER_PLACED, event(t.ORDER_PLACED, key, 1, order())) for key in keys]
    confirmed = [
        (t.ORDER_CONFIRMED, event(t.ORDER_CONFIRMED, key, 2, order(OrderStatus.CONFIRMED))) for key in keys
    ]
    return [*placed, *confirmed]


def environment(settings: Settings, place: str) -> dict[str, str]:
    return {
        "ECOMMERCE_PORT_BASE": str(settings.port_base),
        **kafka_elsewhere.environment(settings),
        "ECOMMERCE_ARCHIVE": place,
        "ECOMMERCE_ARCHIVE_SECONDS": "0.2",
    }


def process(settings: Settings, place: str) -> AbstractAsyncContextManager[asyncio.subprocess.Process]:
    return child(PROGRAM, environment(settings, place))


def archived(place: str) -> list[Record]:
    return list(in_time_order(ArchiveStore(place), TOPICS, lambda _: True))


def live(settings: Settings) -> list[tuple[object, ...]]:
    with Reader(settings) as reader:
        found = list(reader.read(reader.spans(TOPICS, Beginning())))
    return sorted(
        (each.topic, each.partition, each.offset, each.timestamp, each.key, each.value, each.headers)
        for each in found
    )


def plain(records: list[Record]) -> list[tuple[object, ...]]:
    return sorted(
        (each.topic, each.partition, each.offset, each.timestamp, each.key, each.value, each.headers)
        for each in records
    )


async def complete(settings: Settings, place: str) -> list[Record]:
    everything = live(settings)

    async def found() -> list[Record]:
        return await asyncio.to_thread(archived, place)

    async def count() -> int:
        return len(await found())

    await eventually_async(count, lambda has: has >= len(everything), seconds=120)
    records = await found()
    assert plain(records) == everything
    return records


@pytest.mark.usefixtures("topics_created")
async def test_killed_under_load_each_record_is_archived_once(
    settings: Settings, place: str, group_suffix: str
) -> None:
    async with MessageProducer(settings, "test") as producer:
        for turn in range(2):
            before = len(archived(place))
            async with process(settings, place) as victim:
                publishing = asyncio.create_task(publish(producer, story(f"{group_suffix}-{turn}")))

                async def count() -> int:
                    return len(await asyncio.to_thread(archived, place))

                await eventually_async(count, lambda has, past=before: bool(has > past), seconds=120)  # type: ignore[misc] # bound per turn
                victim.kill()
                await victim.wait()
                await publishing
        async with process(settings, place) as last:
            # What only this one can archive shows that it runs.
            await publish(producer, story(f"{group_suffix}-last"))
            await complete(settings, place)
            last.terminate()
            assert await asyncio.wait_for(last.wait(), 60) == 0
    assert await committed(settings, archive.group_of(place))


@pytest.fixture
async def shop(settings: Settings, topics_created: KafkaOptions, tmp_path: Path) -> str:  # noqa: ARG001 (they are there)
    """A folder with the archive of some orders."""
    place = str(tmp_path / "archive")
    async with MessageProducer(settings, "test") as producer:
        await publish(producer, story(uuid.uuid4().hex))
    async with process(settings, place):
        await complete(settings, place)
    return place


async def test_analysts_read_it(shop: str, s3_server: object, settings: Settings) -> None:  # noqa: ARG001
    totals = sum(order_total(value) for *_, value, _ in live(settings) if value)
    query = f"""
        SELECT topic, count(*), sum(data.total), min(date), count(DISTINCT aggregate_id)
        FROM read_parquet('{shop}/**/*.parquet', hive_partitioning = true, union_by_name = true)
        WHERE topic IN {tuple(TOPICS)} GROUP BY ALL ORDER BY topic
    """
    rows = rows_of(query)
    assert [row[0] for row in rows] == sorted(TOPICS)
    assert sum(row[2] for row in rows) == totals
    lines = f"SELECT unnest(data.lines) AS line FROM '{shop}/topic={TOPICS[0]}/*/*.parquet'"
    assert rows_of(f"SELECT line.sku FROM ({lines}) LIMIT 1")

    await asyncio.to_thread(copied, Path(shop), from_url(f"s3://{s3.BUCKET}/copy"))
    options = {name.lower(): value for name, value in os.environ.items() if name.startswith("AWS_")}
    lazy = pl.scan_parquet(
        f"s3://{s3.BUCKET}/copy/topic={TOPICS[0]}/**/*.parquet",
        storage_options=options,
        hive_partitioning=True,
        missing_columns="insert",
    )
    frame = lazy.select(pl.col("data").struct.field("total").sum()).collect()
    assert frame.item() == next(row[2] for row in rows if row[0] == TOPICS[0])


def copied(folder: Path, to: ObjectStore) -> None:
    for path in folder.rglob("*.parquet"):
        to.put(str(path.relative_to(folder)), path)


def rows_of(query: str) -> list[tuple[Any, ...]]:
    relation = duckdb.sql(query)
    assert relation is not None
    return relation.fetchall()


def order_total(value: object) -> int:
    assert isinstance(value, bytes)
    total: int = decode_fields(value)["data"]["total"]
    return total


async def ecommerce(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[bytes]:
    command = [str(Path(sys.executable).with_name("ecommerce")), *arguments]
    return await asyncio.to_thread(subprocess.run, command, env=environment, capture_output=True, check=False)


async def test_tap_and_replay_read_it_without_a_broker(shop: str, settings: Settings) -> None:
    nowhere = {**environment(settings, ""), "ECOMMERCE_KAFKA": "127.0.0.1:1"}
    tapped = await ecommerce(
        nowhere, "tap", "order.confirmed", "--archive", shop, "--where", "data.total > 0", "--format", "json"
    )
    rows = [msgspec.json.decode(line) for line in tapped.stdout.splitlines()]
    kept = [each for each in archived(shop) if each.topic == t.ORDER_CONFIRMED.name]
    assert [row["offset"] for row in rows] == [each.offset for each in kept]
    replayed = await ecommerce(nowhere, "replay", "order.*", "--archive", shop, "--json")
    assert msgspec.json.decode(replayed.stdout.splitlines()[-1])["fed"] > 0, replayed.stderr
    refused = await ecommerce(nowhere, "tap", "order.*", "--archive", f"{shop}/nowhere")
    assert refused.returncode != 0
    assert b"--archive" in refused.stderr


async def test_a_replay_goes_on_where_the_archive_ends(shop: str, settings: Settings) -> None:
    async with MessageProducer(settings, "test") as producer:
        await publish(producer, story(uuid.uuid4().hex))
    both = from_archive(shop, settings, "order.*", Stretch())
    seen = [(each.topic, each.partition, each.offset) for each in both if each.topic in TOPICS]
    assert sorted(seen) == [each[:3] for each in live(settings)]
    assert len(seen) == len(archived(shop)) + 2 * ORDERS
    for place in {each[:2] for each in seen}:
        offsets = [each[2] for each in seen if each[:2] == place]
        assert offsets == sorted(offsets)
