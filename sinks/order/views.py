"""What shows orders: each with its lines, charges and events as rows, and a document to be found by."""

from connectors.runtime.projection import Projection
from sinks.declaration import DomainViews
from sinks.order.document import order_document
from sinks.order.index import ORDERS as INDEX
from sinks.order.projectors import order_event_row, order_rejected_rows, order_rows
from sinks.order.rows import ORDER_CHARGES, ORDER_EVENTS, ORDER_LINES, ORDERS
from topics.order import ORDER_EVENTS as EVENTS
from topics.order import ORDER_REJECTED

_TABLES = (ORDERS, ORDER_LINES, ORDER_CHARGES, ORDER_EVENTS)
_INTO = tuple(table.name for table in _TABLES)

VIEWS = DomainViews(
    tables=_TABLES,
    postgres=(
        *(Projection(topic, order_event_row, _INTO, latest=order_rows) for topic in EVENTS),
        Projection(ORDER_REJECTED, order_rejected_rows, (ORDER_EVENTS.name,)),
    ),
    indices=(INDEX,),
    elasticsearch=tuple(Projection(topic, order_document, (INDEX.alias,)) for topic in EVENTS),
)
