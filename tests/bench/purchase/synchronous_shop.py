"""The shop without Kafka, beside a running platform: its own database and processes, the same provider."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg
import httpx

from deploy.embedded.postgres_roles import ADMIN
from tests.bench.contenders.synchronous import TABLES
from tests.bench.ground import Contender
from tests.bench.platform import cpu_of
from tests.bench.shopfront import PRICE
from tests.bench.step import InvariantError
from tests.eventually import eventually_async
from tests.stack import free_port_base
from topics.credentials import make
from topics.settings import Settings

NAME = "synchronous_shop"


@dataclass(frozen=True)
class SynchronousShop:
    """Where it is, and what it has used."""

    url: str
    dsn: str
    contender: Contender

    def cpu(self) -> float:
        """Return the seconds of processor time of its web processes."""
        assert self.contender.process is not None
        return cpu_of(self.contender.process.pid)

    async def check(self, pieces: int, skus: int) -> None:
        """Raise InvariantError where a piece is not accounted for."""
        connection = await asyncpg.connect(self.dsn)
        try:
            left, sold, money = await connection.fetchrow(
                "SELECT (SELECT sum(available) FROM products), (SELECT sum(quantity) FROM order_lines),"
                " (SELECT sum(total) FROM orders)"
            )
        finally:
            await connection.close()
        if left + sold != pieces * skus or money != sold * PRICE:
            raise InvariantError(f"synchronous: {left} left, {sold} sold of {pieces * skus}, for {money}")


@asynccontextmanager
async def synchronous_shop(
    settings: Settings, skus: Sequence[str], pieces: int
) -> AsyncIterator[SynchronousShop]:
    """Open the shop with so many pieces of each good, and close it in the end."""
    _, admins = make(settings.credentials_file)
    root = settings.postgres_at(ADMIN, admins.postgres)
    connection = await asyncpg.connect(root)
    try:
        await connection.execute(f"CREATE DATABASE {NAME}")
    finally:
        await connection.close()
    dsn = root.rpartition("/")[0] + f"/{NAME}"
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(TABLES)
        rows = [(sku, f"Bench product {sku}", PRICE, pieces) for sku in skus]
        await connection.copy_records_to_table("products", records=rows)
    finally:
        await connection.close()
    port = free_port_base()
    key = settings.provider_key or ""
    command = (sys.executable, "-m", "tests.bench.contenders.synchronous")
    arguments = (str(port), dsn, settings.payment_provider_url, key)
    contender = Contender(settings, (*command, *arguments), settings.data_dir / "synchronous.log")
    contender.start()
    shop = SynchronousShop(f"http://127.0.0.1:{port}", dsn, contender)
    try:
        async with httpx.AsyncClient() as client:

            async def ready() -> bool:
                contender.alive()
                try:
                    return (await client.get(f"{shop.url}/ready")).is_success
                except httpx.HTTPError:
                    return False

            await eventually_async(ready)
        yield shop
    finally:
        await asyncio.to_thread(contender.stop)
