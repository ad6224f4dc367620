"""All flows of the platform, and the checks that only make sense over all of them."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from streams.cart.agent import FLOW as CART
from streams.inventory.allocation.agent import FLOW as ALLOCATION
from streams.inventory.stock.agent import FLOW as STOCK
from streams.kernel.flow import Flow
from streams.order.agent import FLOW as ORDER
from streams.payment.agent import FLOW as PAYMENT
from streams.product.agent import FLOW as PRODUCT

# The Faust app's id, and so its consumer group.
GROUP = "ecommerce.streams"


def checked(flows: Iterable[Flow[Any]]) -> tuple[Flow[Any], ...]:
    """Return the flows; raises ValueError where they cannot run together, naming the flow and the rule.

    - Names and tables are used once: each has one writer.
    - A record is a plain frozen struct, or a change in place would bypass the changelog.
    - Topics that meet in a flow have the platform's partition count: a key's records meet in one partition.
    """
    flows = tuple(flows)
    for what, names in (
        ("name", [flow.name for flow in flows]),
        ("table", [flow.table.name for flow in flows]),
    ):
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"flow {name}: the {what} is used {names.count(name)} times")
    for flow in flows:
        if not flow.table.record.__struct_config__.frozen:
            raise ValueError(f"flow {flow.name}: the record {flow.table.record.__name__} is not frozen")
        for route in flow.routes:
            if route.topic.partitions is not None:
                raise ValueError(
                    f"flow {flow.name}: {route.topic.name} has its own {route.topic.partitions} partitions:"
                    " its keys would not meet those of the rest"
                )
    return flows


FLOWS = checked((PRODUCT, CART, ORDER, STOCK, ALLOCATION, PAYMENT))

WORKER_FLOWS = tuple(replace(flow, ids=True) for flow in FLOWS)
"""What a worker runs: with the ids of the views. In memory, tests may call a cart by any name."""
