"""Baseline: the shop as one would write it without Kafka: FastAPI, asyncpg, one transaction with row locks.

    python -m tests.bench.contenders.synchronous PORT DSN PROVIDER_URL PROVIDER_KEY

A checkout locks its cart and its goods, asks the payment provider for a token, an authorisation and the
capture, and commits the confirmed order. The goods stay locked while the provider is asked: what is taken is
in stock, and what is not paid was never taken.
"""

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any
from uuid import UUID, uuid4

import aiohttp
import asyncpg
import uvicorn
from fastapi import FastAPI, Header, HTTPException, Request
from pydantic import BaseModel, EmailStr, Field

WORKERS = 2
TABLES = """
CREATE TABLE products (
    sku text PRIMARY KEY, name text NOT NULL, price bigint NOT NULL, available bigint NOT NULL);
CREATE TABLE carts (cart_id uuid PRIMARY KEY, version bigint NOT NULL);
CREATE TABLE cart_lines (cart_id uuid, sku text, quantity bigint NOT NULL, PRIMARY KEY (cart_id, sku));
CREATE TABLE orders (
    order_id uuid PRIMARY KEY, idempotency_key text UNIQUE NOT NULL,
    cart_id uuid NOT NULL, email text NOT NULL, address jsonb NOT NULL,
    total bigint NOT NULL, status text NOT NULL, capture_id text,
    placed_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE order_lines (
    order_id uuid, sku text, name text NOT NULL, quantity bigint NOT NULL, price bigint NOT NULL,
    PRIMARY KEY (order_id, sku));
"""
_LINES = """
SELECT l.sku, p.name, l.quantity, p.price FROM cart_lines AS l JOIN products AS p USING (sku)
WHERE cart_id = $1 ORDER BY sku
"""
_ADD = """
INSERT INTO cart_lines VALUES ($1, $2, $3)
ON CONFLICT (cart_id, sku) DO UPDATE SET quantity = cart_lines.quantity + excluded.quantity
"""
_TOUCH = """
INSERT INTO carts VALUES ($1, 1)
ON CONFLICT (cart_id) DO UPDATE SET version = carts.version + 1 RETURNING version
"""
_LOCK = "SELECT version FROM carts WHERE cart_id = $1 FOR UPDATE"
_TAKE = "UPDATE products SET available = available - $2 WHERE sku = $1 AND available >= $2 RETURNING sku"
_ORDER = "INSERT INTO orders VALUES ($1, $2, $3, $4, $5, $6, 'confirmed', $7)"


class Item(BaseModel):
    """What goes into the cart."""

    sku: str = Field(min_length=1, max_length=64)
    quantity: int = Field(default=1, ge=1, le=10_000)


class Card(BaseModel):
    """A card, for the provider alone."""

    card_number: str = Field(max_length=32)
    expiry: str = Field(max_length=7)
    cvc: str = Field(min_length=3, max_length=4)


class Address(BaseModel):
    """Where the goods go."""

    name: str = Field(max_length=200)
    country: str = Field(max_length=2)
    line1: str = Field(max_length=200)
    city: str = Field(max_length=200)
    postcode: str = Field(max_length=20)


class Wish(BaseModel):
    """A checkout, with what the buyer was shown."""

    cart_version: int
    total: int
    payment: Card
    address: Address
    email: EmailStr


class Provider:
    """The payment provider."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def pay(self, order_id: str, amount: int, card: Card) -> str:
        """Charge a card and return the capture's id. Raises HTTPException where the provider refuses."""
        token = (await self._ask("/tokens", {**card.model_dump(), "order_id": order_id}))["token"]
        money = {"order_id": order_id, "amount": amount, "currency": "GBP"}
        held = await self._ask("/authorisations", {**money, "payment_token": token})
        taken = await self._ask("/captures", {**money, "authorisation_id": held["id"]})
        return str(taken["id"])

    async def _ask(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        headers = {"Idempotency-Key": str(uuid4())}
        async with self._session.post(path, json=body, headers=headers) as answer:
            if answer.status >= 400:
                raise HTTPException(402, await answer.text())
            found: dict[str, Any] = await answer.json()
            return found


def create() -> FastAPI:
    """Return the shop of the environment's addresses."""
    dsn, provider, key = (os.environ[name] for name in ("SHOP_DSN", "SHOP_PROVIDER", "SHOP_KEY"))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        session = aiohttp.ClientSession(provider, headers={"Authorization": f"Bearer {key}"})
        async with asyncpg.create_pool(dsn, min_size=10, max_size=20) as pool, session:
            app.state.pool, app.state.provider = pool, Provider(session)
            yield

    app = FastAPI(lifespan=lifespan)

    @app.post("/api/v1/cart/items")
    async def add(item: Item, request: Request, cart: Annotated[UUID, Header(alias="X-Cart-Id")]) -> Any:
        async with request.app.state.pool.acquire() as connection, connection.transaction():
            if not await connection.fetchval("SELECT 1 FROM products WHERE sku = $1", item.sku):
                raise HTTPException(404, "there is no such product")
            version = await connection.fetchval(_TOUCH, cart)
            await connection.execute(_ADD, cart, item.sku, item.quantity)
            return _shown(cart, version, await connection.fetch(_LINES, cart))

    @app.post("/api/v1/checkout")
    async def checkout(
        wish: Wish,
        request: Request,
        cart: Annotated[UUID, Header(alias="X-Cart-Id")],
        key: Annotated[str, Header(alias="Idempotency-Key")],
    ) -> Any:
        state = request.app.state
        async with state.pool.acquire() as connection, connection.transaction():
            known = await connection.fetchrow("SELECT * FROM orders WHERE idempotency_key = $1", key)
            if known is not None:
                return dict(known)
            version = await connection.fetchval(_LOCK, cart)
            lines = await connection.fetch(_LINES, cart)
            shown = _shown(cart, version, lines)
            if not lines or (shown["version"], shown["total"]) != (wish.cart_version, wish.total):
                raise HTTPException(409, "the cart is not as it was shown")
            order_id = uuid4()
            for line in lines:
                if not await connection.fetchval(_TAKE, line["sku"], line["quantity"]):
                    raise HTTPException(409, "out of stock")
            capture = await state.provider.pay(str(order_id), wish.total, wish.payment)
            address = wish.address.model_dump_json()
            await connection.execute(_ORDER, order_id, key, cart, wish.email, address, wish.total, capture)
            await connection.executemany(
                "INSERT INTO order_lines VALUES ($1, $2, $3, $4, $5)",
                [(order_id, each["sku"], each["name"], each["quantity"], each["price"]) for each in lines],
            )
            await connection.execute("DELETE FROM cart_lines WHERE cart_id = $1", cart)
            await connection.fetchval(_TOUCH, cart)
        return {
            "order_id": str(order_id),
            "status": "confirmed",
            "total": wish.total,
            "lines": shown["lines"],
        }

    @app.get("/ready")
    async def ready() -> str:
        return "ready"

    return app


def _shown(cart: UUID, version: int | None, lines: list[asyncpg.Record]) -> dict[str, Any]:
    told = [dict(line) for line in lines]
    total = sum(line["quantity"] * line["price"] for line in told)
    return {"cart_id": str(cart), "version": version, "total": total, "lines": told}


if __name__ == "__main__":
    port, *told = sys.argv[1:]
    os.environ.update(zip(("SHOP_DSN", "SHOP_PROVIDER", "SHOP_KEY"), told, strict=True))
    uvicorn.run(
        "tests.bench.contenders.synchronous:create",
        factory=True,
        host="127.0.0.1",
        port=int(port),
        workers=WORKERS,
        access_log=False,
        log_level="warning",
    )
