"""Orders as the dataflow's messages tell them, for answers that come before any view has them."""

from typing import Any

import msgspec

from api.checkout.models import DeliveryAddress
from api.command_records import CommandRecord, Status
from api.heard import Heard
from api.order.models import Line, Order, OrderCharge, OrderEvent, Progress
from schemas.order import OrderSnapshot
from topics.registry import CHECKOUT_FAILED

_TOLD = frozenset({Status.SUCCEEDED, Status.REJECTED})


def of_snapshot(order_id: str, version: int, snapshot: OrderSnapshot) -> Order:
    """Return the order that an order event tells."""
    address = snapshot.address
    return Order(
        order_id=order_id,
        kind=snapshot.kind.value,
        status=Progress(snapshot.status.value),
        currency=snapshot.currency,
        total=snapshot.total,
        goods=snapshot.goods,
        charged=snapshot.charged,
        placed_at=snapshot.placed_at,
        updated_at=snapshot.updated_at,
        reason=snapshot.reason,
        detail=snapshot.detail,
        sku=snapshot.sku,
        tracking=snapshot.tracking,
        version=version,
        email=snapshot.email,
        # Addresses from other sources may break this API's rules for new ones.
        address=DeliveryAddress.model_construct(**msgspec.structs.asdict(address)) if address else None,
        lines=[Line.model_validate(line) for line in snapshot.lines],
        charges=[OrderCharge.model_validate(charge) for charge in snapshot.charges],
    )


def of_checkout(order_id: str, record: CommandRecord, currency: str) -> Order:
    """Return what is known of an order whose checkout was accepted, but which no view has yet."""
    if record.status in _TOLD and record.event != CHECKOUT_FAILED.name:
        snapshot = msgspec.convert({"payment_token": None, **(record.outcome or {})}, OrderSnapshot)
        return of_snapshot(order_id, record.version or 0, snapshot)
    said: dict[str, Any] = record.outcome or {}
    return Order(
        order_id=order_id,
        kind="sale",
        status=Progress.FAILED if said else Progress.REQUESTED,
        currency=currency,
        total=0,
        goods=0,
        charged=0,
        placed_at=record.accepted_at,
        updated_at=record.accepted_at,
        reason=said.get("reason"),
        detail=said.get("detail"),
        sku=said.get("sku"),
        version=0,
        lines=[],
        charges=[],
    )


def of_heard(heard: Heard) -> OrderEvent:
    """Return the step that a message of the tail tells."""
    message, data = heard.message, heard.message.data
    failed = heard.topic is CHECKOUT_FAILED
    return OrderEvent(
        order_id=message.aggregate_id,
        event=heard.topic.name.removeprefix("ecommerce."),
        status=Progress.FAILED if failed else Progress(data.status.value),
        version=0 if failed else message.aggregate_version,
        occurred_at=message.occurred_at,
        total=None if failed else data.total,
        consented=None if failed else data.consented,
        reason=data.reason,
        detail=data.detail,
        sku=data.sku,
        tracking=None if failed else data.tracking,
    )
