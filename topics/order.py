"""Orders and returns: what staff and customers ask for, and where an order stands. Keyed by order id."""

from schemas import order, service
from topics.topic import WEEK, Kind, Topic

ORDER_CANCEL = Topic("ecommerce.order.cancel", order.OrderCancel, "order_id", Kind.COMMAND, "order", WEEK)
ORDER_ADVANCE = Topic("ecommerce.order.advance", order.OrderAdvance, "order_id", Kind.COMMAND, "order", WEEK)
ORDER_RETURN = Topic("ecommerce.order.return", order.OrderReturn, "order_id", Kind.COMMAND, "order", WEEK)
ORDER_DUE = Topic("ecommerce.order.due", service.TimerDue, "order_id", Kind.TIMER, "order", WEEK)
ORDER_PLACED = Topic("ecommerce.order.placed", order.OrderSnapshot, "order_id", Kind.EVENT, "order")
ORDER_CONFIRMED = Topic("ecommerce.order.confirmed", order.OrderSnapshot, "order_id", Kind.EVENT, "order")
ORDER_PROCESSING = Topic("ecommerce.order.processing", order.OrderSnapshot, "order_id", Kind.EVENT, "order")
ORDER_SHIPPED = Topic("ecommerce.order.shipped", order.OrderSnapshot, "order_id", Kind.EVENT, "order")
ORDER_DELIVERED = Topic("ecommerce.order.delivered", order.OrderSnapshot, "order_id", Kind.EVENT, "order")
ORDER_CANCELLED = Topic("ecommerce.order.cancelled", order.OrderSnapshot, "order_id", Kind.EVENT, "order")
ORDER_RETURNED = Topic("ecommerce.order.returned", order.OrderSnapshot, "order_id", Kind.EVENT, "order")
ORDER_REFUNDED = Topic("ecommerce.order.refunded", order.OrderSnapshot, "order_id", Kind.EVENT, "order")
ORDER_REJECTED = Topic("ecommerce.order.rejected", order.OrderRejected, "order_id", Kind.EVENT, "order")

ORDER_EVENTS = (
    ORDER_PLACED,
    ORDER_CONFIRMED,
    ORDER_PROCESSING,
    ORDER_SHIPPED,
    ORDER_DELIVERED,
    ORDER_CANCELLED,
    ORDER_RETURNED,
    ORDER_REFUNDED,
)
"""What tells how an order stands: each has the whole order as it is then."""
