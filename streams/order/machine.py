"""The order's state machine, as data: the legal moves, who makes them, and the event of each state."""

from schemas.order import OrderSnapshot, OrderStatus
from topics.registry import (
    ORDER_CANCELLED,
    ORDER_CONFIRMED,
    ORDER_DELIVERED,
    ORDER_PLACED,
    ORDER_PROCESSING,
    ORDER_REFUNDED,
    ORDER_RETURNED,
    ORDER_SHIPPED,
)
from topics.topic import Topic

S = OrderStatus

BEGINNINGS = (S.PLACED, S.RETURNED)

MOVES: dict[OrderStatus, tuple[OrderStatus, ...]] = {
    S.PLACED: (S.CONFIRMED, S.CANCELLED),
    S.CONFIRMED: (S.PROCESSING, S.CANCELLED, S.REFUNDED),
    S.PROCESSING: (S.SHIPPED, S.CANCELLED, S.REFUNDED),
    S.SHIPPED: (S.DELIVERED, S.REFUNDED),
    S.DELIVERED: (S.REFUNDED,),
    S.RETURNED: (S.REFUNDED,),
    S.CANCELLED: (),
    S.REFUNDED: (),
}

STAFF_TARGETS = frozenset({S.PROCESSING, S.SHIPPED, S.DELIVERED, S.REFUNDED})

EVENTS: dict[OrderStatus, Topic[OrderSnapshot]] = {
    S.PLACED: ORDER_PLACED,
    S.CONFIRMED: ORDER_CONFIRMED,
    S.PROCESSING: ORDER_PROCESSING,
    S.SHIPPED: ORDER_SHIPPED,
    S.DELIVERED: ORDER_DELIVERED,
    S.CANCELLED: ORDER_CANCELLED,
    S.RETURNED: ORDER_RETURNED,
    S.REFUNDED: ORDER_REFUNDED,
}


def may(status: OrderStatus, target: OrderStatus) -> bool:
    """Say whether an order may move from one state to another."""
    return target in MOVES[status]


def diagram() -> str:
    """Return the machine as a mermaid state diagram, for the docs."""
    lines = ["stateDiagram-v2", *(f"    [*] --> {beginning}" for beginning in BEGINNINGS)]
    for status, targets in MOVES.items():
        lines += [f"    {status} --> {target}" for target in targets or ("[*]",)]
    return "\n".join(lines) + "\n"
