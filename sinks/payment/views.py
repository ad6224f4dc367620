"""What shows payments: one row an order."""

from connectors.runtime.projection import Projection
from sinks.declaration import DomainViews
from sinks.payment.projectors import payment_row
from sinks.payment.rows import PAYMENTS
from topics.payment import PAYMENT_EVENTS

VIEWS = DomainViews(
    tables=(PAYMENTS,),
    postgres=tuple(Projection(topic, payment_row, (PAYMENTS.name,)) for topic in PAYMENT_EVENTS),
)
