"""The pieces of docs/adding-a-view.md, executed as they stand there."""

import re
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg

from connectors.postgres.sink import PostgresSink
from connectors.postgres.table import Table
from connectors.runtime.projection import Projection
from schemas.envelope import Message
from schemas.inventory import InventoryLowStock
from sinks.columns import instant
from tests.unit.sinks.messages import event
from tests.unit.sinks.records import batch, record
from topics import registry as t

PAGE = Path(__file__).parents[3] / "docs" / "adding-a-view.md"
MOST_LINES = 40


class Migrations:
    """Takes the statements of a migration in alembic's place."""

    def __init__(self) -> None:
        self.statements: list[str] = []

    def execute(self, statement: str) -> None:
        self.statements.append(statement)


async def test_the_page_adds_a_view(postgres: str) -> None:
    row, migration, projector, binding = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    code = f"{row}\n{migration}\n{projector}\n{binding}"
    assert len([line for line in code.splitlines() if line.strip()]) < MOST_LINES
    op = Migrations()
    names = (NamedTuple, datetime, Table, Message, InventoryLowStock, instant, Projection)
    space: dict[str, Any] = {"INVENTORY_LOW_STOCK": t.INVENTORY_LOW_STOCK, "op": op} | {
        each.__name__: each for each in names
    }
    for piece in (row, migration, projector):
        exec(piece, space)
    space["upgrade"]()
    projection: Projection[Any, Any] = eval(binding, space)

    database = await asyncpg.connect(postgres)
    for statement in op.statements:
        await database.execute(statement)
    sink = PostgresSink(postgres, [space["LOW_STOCK"]])
    events = [
        record(
            t.INVENTORY_LOW_STOCK, event(t.INVENTORY_LOW_STOCK, "85123A", version, InventoryLowStock(*data))
        )
        for version, data in ((4, (2, 5)), (9, (1, 5)), (6, (3, 5)))
    ]
    for _ in range(2):
        assert await sink.write(batch([projection], events)) == ()
    await sink.close()
    found = [tuple(each) for each in await database.fetch("SELECT sku, available, version FROM low_stock")]
    await database.close()
    assert found == [("85123A", 1, 9)]
