"""Orders, their lines, charges and events, and their payments as rows."""

from uuid import UUID

from connectors.postgres.table import Row
from schemas.envelope import Message
from schemas.order import OrderRejected, OrderSnapshot
from schemas.payment import PaymentSnapshot
from sinks.columns import extra, identifier, instant, json_text, optional_identifier
from sinks.rows import OrderChargeRow, OrderEventRow, OrderLineRow, OrderRow, PaymentRow


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


def payment_row(message: Message[PaymentSnapshot]) -> tuple[PaymentRow]:
    """Return the order's payment."""
    data = message.data
    return (
        PaymentRow(
            order_id=identifier("aggregate_id", message.aggregate_id),
            status=data.status.value,
            amount=data.amount,
            currency=data.currency,
            provider_reference=data.provider_reference,
            attempts=data.attempts,
            reason=data.reason,
            version=message.aggregate_version,
            updated_at=instant("occurred_at", message.occurred_at),
            extra=extra(message),
        ),
    )


def _order(order_id: UUID, message: Message[OrderSnapshot]) -> OrderRow:
    data = message.data
    return OrderRow(
        order_id=order_id,
        kind=data.kind.value,
        status=data.status.value,
        cart_id=optional_identifier("cart_id", data.cart_id),
        user_id=optional_identifier("user_id", data.user_id),
        email=data.email,
        country=None if data.address is None else data.address.country,
        address=None if data.address is None else json_text(data.address),
        currency=data.currency,
        goods=data.goods,
        charged=data.charged,
        total=data.total,
        placed_at=instant("placed_at", data.placed_at),
        updated_at=instant("updated_at", data.updated_at),
        reason=data.reason,
        detail=data.detail,
        sku=data.sku,
        tracking=data.tracking,
        version=message.aggregate_version,
        correlation_id=identifier("correlation_id", message.correlation_id),
        extra=extra(message),
    )


def _lines(order_id: UUID, data: OrderSnapshot) -> tuple[OrderLineRow, ...]:
    return tuple(
        OrderLineRow(
            order_id=order_id,
            line_id=line.line_id,
            ordinal=ordinal,
            sku=line.sku,
            name=line.name,
            quantity=line.quantity,
            unit_price=line.unit_price,
        )
        for ordinal, line in enumerate(data.lines, start=1)
    )


def _charges(order_id: UUID, data: OrderSnapshot) -> tuple[OrderChargeRow, ...]:
    return tuple(
        OrderChargeRow(
            order_id=order_id,
            ordinal=ordinal,
            code=charge.code,
            description=charge.description,
            quantity=charge.quantity,
            amount=charge.amount,
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
    return OrderEventRow(
        event_id=identifier("event_id", message.event_id),
        order_id=order_id,
        version=message.aggregate_version,
        event_type=message.event_type,
        status=data.status.value,
        occurred_at=instant("occurred_at", message.occurred_at),
        detail=json_text(detail),
        extra=extra(message),
    )
