"""Messages and facts that the tests of inventory share."""

from typing import TypeVar

import msgspec

from schemas.checkout import Charge
from schemas.envelope import Message
from schemas.inventory import RequestedLine
from schemas.order import OrderKind, OrderLine, OrderSnapshot, OrderStatus
from schemas.product import ProductSnapshot
from topics.command import command
from topics.topic import Topic

D = TypeVar("D", bound=msgspec.Struct)

NOW = 1_700_000_000_000
SKU = "85123A"
ORDER = "0192f0c1-0000-7000-8000-000000000001"


def said(topic: Topic[D], key: str, data: D, *, at: int = NOW, version: int = 0) -> Message[D]:
    return msgspec.structs.replace(command(topic, key, data, occurred_at=at), aggregate_version=version)


def product(
    *, price: int = 295, currency: str = "GBP", active: bool = True, threshold: int = 3
) -> ProductSnapshot:
    return ProductSnapshot(
        name="WHITE HANGING HEART T-LIGHT HOLDER",
        description="",
        categories=("lighting",),
        price=price,
        currency=currency,
        low_stock_threshold=threshold,
        active=active,
        created_at=NOW,
        updated_at=NOW,
    )


def asked(*quantities: int, agreed_price: int | None = None) -> tuple[RequestedLine, ...]:
    return tuple(
        RequestedLine(f"line-{number}", quantity, agreed_price) for number, quantity in enumerate(quantities)
    )


def order(
    *lines: tuple[str, str, int],
    status: OrderStatus = OrderStatus.PLACED,
    kind: OrderKind = OrderKind.SALE,
    charges: tuple[Charge, ...] = (),
    cart_id: str | None = "cart-1",
    payment_token: str | None = "tok_visa",
    total: int = 0,
) -> OrderSnapshot:
    return OrderSnapshot(
        kind=kind,
        status=status,
        cart_id=cart_id,
        user_id="user-1",
        email=None,
        address=None,
        currency="GBP",
        lines=tuple(OrderLine(line_id, sku, quantity) for line_id, sku, quantity in lines),
        charges=charges,
        goods=0,
        charged=0,
        total=total,
        payment_token=payment_token,
        placed_at=NOW,
        updated_at=NOW,
    )
