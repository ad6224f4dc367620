"""Payments as rows."""

from schemas.envelope import Message
from schemas.payment import PaymentSnapshot
from sinks.columns import extra, identifier, instant
from sinks.payment.rows import PaymentRow


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
