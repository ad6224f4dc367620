"""Plain Kafka Connect, with the configuration that is shipped: its rows are those of our own view."""

import json
import re
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from psycopg.conninfo import conninfo_to_dict

from api import schema_registry
from connectors.postgres.sink import PostgresSink
from schemas.order import OrderStatus
from sinks.postgres import TABLES
from tests.eventually import eventually_async
from tests.integration.api.conftest import serving
from tests.integration.connect import runtime
from tests.integration.sinks.conftest import database, views  # noqa: F401 (fixtures)
from tests.integration.sinks.views import Event, connector, publish, running
from tests.stack import Child
from tests.unit.sinks.messages import event, order, uid
from topics import registry as t
from topics.connection import connection
from topics.producer import MessageProducer
from topics.settings import Settings

SHIPPED = Path(__file__).parents[3] / "deploy" / "connect"
ORDERS = 40
COLUMNS = (
    "order_id::text, kind, status, cart_id::text, user_id::text, email, country, currency, goods, charged,"
    " total, reason, tracking, version"
)
NEWEST = """
SELECT DISTINCT ON (order_id) {columns}, placed_at, updated_at
FROM connect_order_versions ORDER BY order_id, version DESC
"""
OURS = """
SELECT {columns}, placed_at AT TIME ZONE 'UTC', updated_at AT TIME ZONE 'UTC'
FROM orders ORDER BY order_id::text
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
async def registry() -> AsyncIterator[str]:
    """The API's own registry endpoint."""
    app, port = FastAPI(), free_port()
    app.include_router(schema_registry.router)
    async with serving(app, port):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def connect(settings: Settings, postgres: str, registry: str, tmp_path: Path) -> Iterator[tuple[str, Child]]:
    where = conninfo_to_dict(postgres)
    port = free_port()
    child = runtime.worker(
        tmp_path / "connect",
        settings,
        port,
        {
            "ECOMMERCE_REGISTRY": registry,
            "CONNECT_KAFKA_PASSWORD": connection(settings).password.get_secret_value(),
            "CONNECT_JDBC_URL": f"jdbc:postgresql://{where['host']}:{where['port']}/{where['dbname']}",
            "CONNECT_JDBC_USER": str(where["user"]),
            "CONNECT_JDBC_PASSWORD": str(where["password"]),
        },
    )
    child.start()
    yield f"http://127.0.0.1:{port}", child
    child.kill()


def story() -> list[Event]:
    events: list[Event] = []
    for number in range(ORDERS):
        key = uid(f"connect-{number}")
        events.append((t.ORDER_PLACED, event(t.ORDER_PLACED, key, 1, order())))
        if number % 2:
            events.append((t.ORDER_CONFIRMED, event(t.ORDER_CONFIRMED, key, 2, order(OrderStatus.CONFIRMED))))
        if number % 4 == 3:
            events.append((t.ORDER_CANCELLED, event(t.ORDER_CANCELLED, key, 3, order(OrderStatus.CANCELLED))))
    return events


@pytest.mark.timeout(900)
@pytest.mark.usefixtures("topics_created")
async def test_the_jdbc_connectors_rows_are_our_views(
    settings: Settings,
    connect: tuple[str, Child],
    database: asyncpg.Connection,  # noqa: F811 (the fixture)
    views: str,  # noqa: F811 (the fixture)
    group_suffix: str,
) -> None:
    address, worker = connect
    shipped = json.loads((SHIPPED / "orders-jdbc-debezium.json").read_text())
    async with MessageProducer(settings, "test") as producer, httpx.AsyncClient(timeout=60) as client:
        await publish(producer, story())
        sink = connector(settings, producer, PostgresSink(views, TABLES), group_suffix)

        async def accepted() -> int:
            return (await client.post(f"{address}/connectors", json=shipped)).status_code

        await eventually_async(accepted, lambda code: code == httpx.codes.CREATED, seconds=300)
        async with running(sink):
            ours = await eventually_async(
                lambda: database.fetch(OURS.format(columns=COLUMNS)),
                lambda rows: sum(row["version"] for row in rows) >= 2 * ORDERS - ORDERS // 4,
                seconds=120,
            )

        async def theirs() -> list[asyncpg.Record] | str:
            state = (await client.get(f"{address}/connectors/{shipped['name']}/status")).json()
            if failed := [task["trace"] for task in state["tasks"] if task["state"] == "FAILED"]:
                return str(failed[0])[:2000]
            if await database.fetchval("SELECT to_regclass('connect_order_versions')") is None:
                return json.dumps(state)
            rows: list[asyncpg.Record] = await database.fetch(NEWEST.format(columns=COLUMNS))
            return sorted(rows, key=lambda row: str(row["order_id"]))

        expected = [tuple(row) for row in ours]
        await eventually_async(
            theirs,
            lambda rows: not isinstance(rows, str) and [tuple(row) for row in rows] == expected,
            seconds=180,
        )
        # Killed and started again it delivers again, and nothing is doubled: the key is order and version.
        count = await database.fetchval("SELECT count(*) FROM connect_order_versions")
        worker.kill()
        worker.start()
        await eventually_async(accepted, lambda code: code == httpx.codes.CREATED, seconds=300)
        late = uid("connect-late")
        await publish(producer, [(t.ORDER_PLACED, event(t.ORDER_PLACED, late, 1, order()))])
        await eventually_async(
            lambda: database.fetchval("SELECT count(*) FROM connect_order_versions"),
            lambda rows: rows == count + 1,
            seconds=120,
        )


@pytest.mark.parametrize("file", sorted(SHIPPED.glob("*.json")), ids=lambda file: file.stem)
def test_what_is_shipped_names_real_topics_fields_and_variables(file: Path) -> None:
    config: dict[str, Any] = json.loads(file.read_text())["config"]
    pattern = config.get("topics.regex") or re.escape(config["topics"])
    names = [name for name in t.TOPICS if re.fullmatch(pattern, name)]
    assert names
    flat = {f"data_{field}" for name in names for field in t.TOPICS[name].data.__struct_fields__}
    known = flat | {"aggregate_id", "aggregate_version", "event_type", "data_address_country"}
    included = config.get("transforms.columns.include")
    assert included is None or set(included.split(",")) <= known
    readme = (SHIPPED / "README.md").read_text()
    for variable in re.findall(r"\$\{env:(\w+)\}", file.read_text()):
        assert variable in readme
    assert file.name in readme
