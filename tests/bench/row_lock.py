"""Baseline: the flash sale as a service does it in PostgreSQL, one row lock per reservation."""

import asyncio
import time
from collections.abc import Iterator

import asyncpg

from schemas.envelope import fresh_id
from tests.bench.step import InvariantError, Sample
from tests.stack import Stack

CONNECTIONS = 16
_TABLES = """
CREATE TABLE stock (
    sku text PRIMARY KEY, on_hand bigint NOT NULL, reserved bigint NOT NULL, version bigint NOT NULL,
    price bigint NOT NULL, currency text NOT NULL, active boolean NOT NULL);
CREATE TABLE reservations (
    order_id text, sku text, quantity bigint NOT NULL, price bigint NOT NULL, PRIMARY KEY (order_id, sku));
"""
_RESERVE = """
UPDATE stock SET reserved = reserved + $2, version = version + 1
WHERE sku = $1 AND active AND currency = $3 AND on_hand - reserved >= $2
RETURNING price, on_hand, reserved, version
"""
_RECORD = "INSERT INTO reservations VALUES ($1, $2, $3, $4)"


class RowLock:
    """Reserves `count` pieces of one SKU, one by one, over 16 connections; a share of them is in stock."""

    def __init__(self, stack: Stack, count: int, share: float) -> None:
        self._stack = stack
        self._count = count
        self._share = share

    async def measure(self) -> Sample:
        """Run one sale in a database of its own. Raises InvariantError where pieces are oversold."""
        dsn = await asyncio.to_thread(self._stack.fresh_database)
        pool = await asyncpg.create_pool(dsn, min_size=CONNECTIONS, max_size=CONNECTIONS)
        try:
            pieces = int(self._count * self._share)
            await pool.execute(_TABLES)
            await pool.execute("INSERT INTO stock VALUES ('FLASH', $1, 0, 1, 999, 'GBP', true)", pieces)
            orders = iter([fresh_id() for _ in range(self._count)])
            began = time.perf_counter()
            accepted = sum(
                await asyncio.gather(*(self._connection(pool, orders) for _ in range(CONNECTIONS)))
            )
            seconds = time.perf_counter() - began
            reserved, recorded = await pool.fetchrow(
                "SELECT (SELECT reserved FROM stock), (SELECT sum(quantity) FROM reservations)"
            )
        finally:
            await pool.close()
        if not accepted == reserved == recorded == min(pieces, self._count):
            raise InvariantError(f"postgres: {accepted} accepted, {reserved} reserved of {pieces}")
        return Sample(self._count / seconds)

    @staticmethod
    async def _connection(pool: asyncpg.Pool, orders: Iterator[str]) -> int:
        accepted = 0
        async with pool.acquire() as connection:
            for order in orders:
                async with connection.transaction():
                    row = await connection.fetchrow(_RESERVE, "FLASH", 1, "GBP")
                    if row is not None:
                        await connection.execute(_RECORD, order, "FLASH", 1, row["price"])
                        accepted += 1
        return accepted
