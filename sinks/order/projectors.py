"""Orders, their lines, charges and events as rows."""

from uuid import UUID

from connectors.postgres.table import Row
from schemas.envelope import Message
from schemas.order import OrderRejected, OrderSnapshot
from sinks.columns import extra, identifier, instant, json_text, optional_identifier
from sinks.order.rows import OrderChargeRow, OrderEventRow, OrderLineRow, OrderRow


def order_rows(message: Message[OrderSnapshot]) -> tuple[Row, ...]:
    """Return the order with its lines and charges as they stand after the event."""
    order_id = identifier("aggregate_id", message.aggregate_id)
    return (
        _order(order_id, message),
        *_lines(order_id, message.data),
        *_charges(order_id, message.data),
    )


def order_event_row(message: Message[OrderSnapshot]) -> tuple[OrderEventRow]:
    """Return the event."""
    return (_event(identifier("aggregate_id", message.aggregate_id), message),)


def order_rejected_rows(message: Message[OrderRejected]) -> tuple[OrderEventRow]:
    """Return the refused command as an event of the order."""
    data = message.data
    detail = {"command": data.command, "reason": data.reason, "field": data.field, "detail": data.detail}
    return (
        OrderEventRow(
            event_id=identifier("event_id", message.event_id),
            order_id=identifier("aggregate_id", message.aggregate_id),
            version=message.aggregate_version,
            event_type=message.event_type,
            status=None if data.status is None else data.status.value,
            occurred_at=instant("occurred_at", message.occurred_at),
            detail=json_text(detail),
            extra=extra(message),
        ),
    )


def _order(order_id: UUID, message: Message[OrderSnapshot]) -> OrderRow:
    data = message.data
    address = data.address
    # By position: orders, their lines and events are most of what is written.
    return OrderRow(
        order_id,
        data.kind.value,
        data.status.value,
        optional_identifier("cart_id", data.cart_id),
        optional_identifier("user_id", data.user_id),
        data.email,
        None if address is None else address.country,
        None if address is None else json_text(address),
        data.currency,
        data.goods,
        data.charged,
        data.total,
        instant("placed_at", data.placed_at),
        instant("updated_at", data.updated_at),
        data.reason,
        data.detail,
        data.sku,
        data.tracking,
        message.aggregate_version,
        identifier("correlation_id", message.correlation_id),
        extra(message),
    )


def _lines(order_id: UUID, data: OrderSnapshot) -> tuple[OrderLineRow, ...]:
    return tuple(
        OrderLineRow(
            order_id,
            line.line_id,
            ordinal,
            line.sku,
            line.name,
            line.quantity,
            line.unit_price,
        )
        for ordinal, line in enumerate(data.lines, start=1)
    )


def _charges(order_id: UUID, data: OrderSnapshot) -> tuple[OrderChargeRow, ...]:
    return tuple(
        OrderChargeRow(
            order_id,
            ordinal,
            charge.code,
            charge.description,
            charge.quantity,
            charge.amount,
        )
        for ordinal, charge in enumerate(data.charges, start=1)
    )


def _event(order_id: UUID, message: Message[OrderSnapshot]) -> OrderEventRow:
    data = message.data
    detail = {
        "reason": data.reason,
        "detail": data.detail,
        "sku": data.sku,
        "tracking": data.tracking,
        "total": data.total,
        "currency": data.currency,
    }
    if data.consented is not None:
        detail["consented"] = data.consented
    return OrderEventRow(
        identifier("event_id", message.event_id),
        order_id,
        message.aggregate_version,
        message.event_type,
        data.status.value,
        instant("occurred_at", message.occurred_at),
        json_text(detail),
        extra(message),
    )
