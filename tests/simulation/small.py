"""The dataflow in a small size: what a real shop reaches in a year is reached here in a hundred steps.

Limits that only a full table, a large batch or a long history meets (slices, pages, rings, sizes, idle times)
are set so low that the simulated shop meets them. The rules are the real ones.
"""

import dataclasses
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any
from unittest.mock import patch

from msgspec.structs import replace

from streams import flows
from streams.cart.agent import POLICY as CART
from streams.inventory.stock import markers
from streams.kernel import processor, task
from streams.kernel.flow import Flow
from streams.product.agent import POLICY as PRODUCT

MINUTE_MS = 60_000

CART_POLICY = replace(CART, idle_ms=8 * MINUTE_MS, retention_ms=90 * MINUTE_MS)
PRODUCT_POLICY = replace(PRODUCT, remembered_commands=4)

_POLICIES = {type(policy): policy for policy in (CART_POLICY, PRODUCT_POLICY)}


def _bound(function: Any) -> Any:
    """Return a handler with the small policy in place of the one that it is bound to, if it is to any."""
    if not isinstance(function, partial) or not function.args:
        return function
    policy, *rest = function.args
    return partial(function.func, _POLICIES.get(type(policy), policy), *rest, **function.keywords)


def _small(flow: Flow[Any]) -> Flow[Any]:
    routes = tuple(dataclasses.replace(route, handler=_bound(route.handler)) for route in flow.routes)
    return dataclasses.replace(flow, routes=routes, due=_bound(flow.due))


FLOWS = tuple(_small(flow) for flow in flows.FLOWS)


@contextmanager
def sizes(seed: int) -> Iterator[None]:
    """Set the kernel's own sizes for a run: every second one closes its batches early."""
    enough = 1_500 if seed % 2 else processor.ENOUGH_BYTES
    with ExitStack() as stack:
        for module, name, value in (
            (task, "_SCAN_SLICE", 1),
            (processor, "ENOUGH_BYTES", enough),
            (markers, "PAGE_ORDERS", 2),
            (markers, "SWEPT_PAGES", 1),
        ):
            stack.enter_context(patch.object(module, name, value))
        yield
