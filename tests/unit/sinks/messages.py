"""Messages as the streams write them, for the tests of the views."""

from typing import Any, TypeVar
from uuid import UUID, uuid5

import msgspec

from schemas.cart import CartAbandoned, CartLine, CartStatus, CartUpdated
from schemas.checkout import Address, Charge
from schemas.envelope import Message
from schemas.inventory import InventoryUpdated, Movement, MovementKind
from schemas.order import OrderKind, OrderLine, OrderSnapshot, OrderStatus
from schemas.payment import PaymentSnapshot, PaymentStatus
from schemas.product import ProductSnapshot
from topics.topic import Topic

D = TypeVar("D", bound=msgspec.Struct)

SPACE = UUID("6f1b2a34-0000-4000-8000-000000000000")
PLACED_AT = 1_291_191_960_000
NOW = 1_795_000_000_000


def uid(name: str) -> str:
    return str(uuid5(SPACE, name))


def event(topic: Topic[D], key: str, version: int, data: D, *, event_id: str | None = None) -> Message[D]:
    return Message(
        event_id=event_id or uid(f"{topic.name}/{key}/{version}"),
        event_type=topic.name,
        aggregate_id=key,
        aggregate_type=topic.aggregate,
        aggregate_version=version,
        occurred_at=NOW + version,
        source="test",
        correlation_id=uid(f"correlation/{key}"),
        data=data,
    )


def product(name: str = "White hanging heart", **changes: Any) -> ProductSnapshot:
    snapshot = ProductSnapshot(
        name=name,
        description="",
        categories=(),
        price=255,
        currency="GBP",
        low_stock_threshold=10,
        active=True,
        created_at=NOW,
        updated_at=NOW,
    )
    return msgspec.structs.replace(snapshot, **changes)


def stock(available: int, reserved: int = 0, **changes: Any) -> InventoryUpdated:
    level = InventoryUpdated(
        on_hand=available + reserved,
        reserved=reserved,
        available=available,
        received=available + reserved,
        committed=0,
        low_stock_threshold=10,
        movement=Movement(MovementKind.RECEIVE, available, "receipt-1", "opening"),
    )
    return msgspec.structs.replace(level, **changes)


def order(status: OrderStatus = OrderStatus.PLACED, **changes: Any) -> OrderSnapshot:
    snapshot = OrderSnapshot(
        kind=OrderKind.SALE,
        status=status,
        cart_id=uid("cart"),
        user_id=uid("user"),
        email="shopper@example.org",
        address=Address(name="A Shopper", country="United Kingdom"),
        currency="GBP",
        lines=(
            OrderLine("85123A", "85123A", 6, "White hanging heart", 255),
            OrderLine("71053", "71053", 2, "White metal lantern", 339),
        ),
        charges=(Charge("POST", "Postage", 1, 1800),),
        goods=2208,
        charged=1800,
        total=4008,
        payment_token="tok",
        placed_at=PLACED_AT,
        updated_at=NOW,
    )
    return msgspec.structs.replace(snapshot, **changes)


def payment(status: PaymentStatus = PaymentStatus.AUTHORISED, **changes: Any) -> PaymentSnapshot:
    return msgspec.structs.replace(PaymentSnapshot(status, 4008, "GBP", "ref-1", 1), **changes)


def cart(*skus: str, **changes: Any) -> CartUpdated:
    lines = tuple(CartLine(sku, sku, 1) for sku in skus)
    return msgspec.structs.replace(CartUpdated(CartStatus.OPEN, lines, uid("user"), None, NOW), **changes)


def abandoned(*skus: str) -> CartAbandoned:
    return CartAbandoned(tuple(CartLine(sku, sku, 1) for sku in skus), uid("user"), NOW)
