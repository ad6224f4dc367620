"""What shows payments: one row an order."""

from connectors.runtime.projection import Projection
from sinks.declaration import DomainViews
from sinks.payment.projectors import payment_row
from sinks.payment.rows import PAYMENTS
from topics.payment import (
    PAYMENT_CAPTURED,
    PAYMENT_COMPLETED,
    PAYMENT_FAILED,
    PAYMENT_REFUNDED,
    PAYMENT_VOIDED,
)

_EVENTS = (PAYMENT_COMPLETED, PAYMENT_FAILED, PAYMENT_CAPTURED, PAYMENT_VOIDED, PAYMENT_REFUNDED)

VIEWS = DomainViews(
    tables=(PAYMENTS,),
    postgres=tuple(Projection(topic, payment_row, (PAYMENTS.name,)) for topic in _EVENTS),
)
