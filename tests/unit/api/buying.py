"""A checkout as tests send it, and the answers that the dataflow gives."""

from typing import Any
from uuid import uuid4

import httpx
import msgspec

from schemas.envelope import Message
from schemas.order import (
    OrderKind,
    OrderLine,
    OrderSnapshot,
    OrderStatus,
)
from tests.unit.api.conftest import World
from tests.unit.api.fakes import Reply
from topics.registry import ORDER_CONFIRMED

WAIT = {"Prefer": "wait=2"}
CARD = {"card_number": "4242 4242 4242 4242", "expiry": "12/30", "cvc": "123"}
ADDRESS = {
    "name": "Ada",
    "country": "GB",
    "line1": "12 St James's Square",
    "city": "London",
    "postcode": "SW1Y 4JH",
}
BODY: dict[str, Any] = {
    "cart_version": 7,
    "total": 590,
    "payment": CARD,
    "address": ADDRESS,
    "email": "ada@example.com",
}


def snapshot(status: OrderStatus, **given: Any) -> OrderSnapshot:
    made = OrderSnapshot(
        kind=OrderKind.SALE,
        status=status,
        cart_id=str(uuid4()),
        user_id=None,
        email="ada@example.com",
        address=None,
        currency="GBP",
        lines=(OrderLine("A", "A", 2, "Product A", 295),),
        charges=(),
        goods=590,
        charged=0,
        total=590,
        payment_token="tok_4242",
        placed_at=1,
        updated_at=2,
    )
    return msgspec.structs.replace(made, **given)


def guest() -> dict[str, str]:
    return {"X-Cart-Id": str(uuid4())}


def ending(world: World, *ends: tuple[Any, msgspec.Struct]) -> None:
    def reply(message: Message[Any]) -> list[Reply]:
        order_id = message.data.order_id
        return [(topic, order_id, data, version) for version, (topic, data) in enumerate(ends, start=1)]

    world.broker.reply = reply


async def checkout(
    client: httpx.AsyncClient, headers: dict[str, str], key: str = "k1", **given: Any
) -> httpx.Response:
    return await client.post(
        "/api/v1/checkout", json={**BODY, **given}, headers={"Idempotency-Key": key, **headers}
    )


async def bought(client: httpx.AsyncClient, world: World, headers: dict[str, str]) -> str:
    ending(world, (ORDER_CONFIRMED, snapshot(OrderStatus.CONFIRMED)))
    return str((await checkout(client, {**headers, **WAIT}, uuid4().hex)).json()["order_id"])
