"""What shows orders: each with its lines, charges and events as rows, and a document to be found by."""

from connectors.runtime.projection import Projection
from sinks.declaration import DomainViews
from sinks.order.document import order_document
from sinks.order.index import ORDERS as INDEX
from sinks.order.projectors import order_event_row, order_rejected_rows, order_rows
from sinks.order.rows import ORDER_CHARGES, ORDER_EVENTS, ORDER_LINES, ORDERS
from topics.order import (
    ORDER_CANCELLED,
    ORDER_CONFIRMED,
    ORDER_DELIVERED,
    ORDER_PLACED,
    ORDER_PROCESSING,
    ORDER_REFUNDED,
    ORDER_REJECTED,
    ORDER_RETURNED,
    ORDER_SHIPPED,
)

_EVENTS = (
    ORDER_PLACED,
    ORDER_CONFIRMED,
    ORDER_PROCESSING,
    ORDER_SHIPPED,
    ORDER_DELIVERED,
    ORDER_CANCELLED,
    ORDER_RETURNED,
    ORDER_REFUNDED,
)
_TABLES = (ORDERS, ORDER_LINES, ORDER_CHARGES, ORDER_EVENTS)
_INTO = tuple(table.name for table in _TABLES)

VIEWS = DomainViews(
    tables=_TABLES,
    postgres=(
        *(Projection(topic, order_event_row, _INTO, latest=order_rows) for topic in _EVENTS),
        Projection(ORDER_REJECTED, order_rejected_rows, (ORDER_EVENTS.name,)),
    ),
    indices=(INDEX,),
    elasticsearch=tuple(Projection(topic, order_document, (INDEX.alias,)) for topic in _EVENTS),
)
