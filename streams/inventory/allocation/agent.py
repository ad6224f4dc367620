"""The allocation agent: one record per order id."""

from functools import partial

from streams.inventory.allocation import decide
from streams.inventory.settings import AllocationSettings
from streams.kernel.flow import Flow, Route
from tables.inventory.allocation import ALLOCATION
from topics.registry import (
    ALLOCATION_DUE,
    INVENTORY_COMMIT,
    INVENTORY_LINE_REJECTED,
    INVENTORY_LINE_RESERVED,
    INVENTORY_RECEIVE,
    INVENTORY_REJECTED,
    INVENTORY_RELEASE,
    INVENTORY_RESERVE,
    INVENTORY_RESERVED,
    ORDER_CANCELLED,
    ORDER_CONFIRMED,
    ORDER_DELIVERED,
    ORDER_PLACED,
    ORDER_REFUNDED,
    ORDER_RETURNED,
    ORDER_SHIPPED,
)

POLICY = AllocationSettings().policy()

FLOW = Flow(
    name="allocation",
    table=ALLOCATION,
    routes=(
        Route(
            ORDER_PLACED,
            partial(decide.place, POLICY),
            (INVENTORY_RESERVE, INVENTORY_RESERVED, INVENTORY_REJECTED),
        ),
        Route(
            INVENTORY_LINE_RESERVED,
            partial(decide.line_reserved, POLICY),
            (INVENTORY_RESERVED, INVENTORY_REJECTED, INVENTORY_RELEASE),
        ),
        Route(INVENTORY_LINE_REJECTED, decide.line_rejected, (INVENTORY_REJECTED, INVENTORY_RELEASE)),
        Route(ORDER_CONFIRMED, decide.confirm, (INVENTORY_COMMIT,)),
        Route(ORDER_CANCELLED, decide.cancel, (INVENTORY_RELEASE, INVENTORY_RECEIVE)),
        Route(ORDER_SHIPPED, decide.finish, (INVENTORY_COMMIT,)),
        Route(ORDER_DELIVERED, decide.finish, (INVENTORY_COMMIT,)),
        Route(ORDER_REFUNDED, decide.finish, (INVENTORY_COMMIT,)),
        Route(ORDER_RETURNED, decide.take_back, (INVENTORY_RECEIVE,)),
        Route(ALLOCATION_DUE, partial(decide.leave, POLICY)),
    ),
    due=partial(decide.leaves_at, POLICY),
    timer=ALLOCATION_DUE,
)
