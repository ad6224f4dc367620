"""What became of a cart between what its buyer was shown and what would have been charged. Pure."""

from typing import Any

from api.cart.models import Cart
from api.checkout.models import CheckoutRequest
from api.order.models import Order
from api.problems import LineChange
from schemas.refusal import Refusal

SURPRISES = frozenset({Refusal.CART_CHANGED, Refusal.PRICE_CHANGED})
"""Reasons for which a checkout is refused that would have charged something else than was shown."""

_MOST_LINES = 50
"""Lines that a refusal tells: it stays a short answer, whatever the cart holds."""


def surprise(request: CheckoutRequest, order: Order, cart: Cart) -> dict[str, Any]:
    """Return the members of the problem: old and new total, version and lines.

    The firm quotes of the order go before the cart's view: this may be some milliseconds behind them.
    """
    quoted = order.reason == Refusal.PRICE_CHANGED
    now = {line.line_id: LineChange(**_new_quote(line)) for line in order.lines} if quoted else _shown(cart)
    return {
        "currency": order.currency,
        "old_total": request.total,
        "new_total": order.total if quoted else cart.total,
        "old_cart_version": request.cart_version,
        "new_cart_version": cart.version,
        "lines": [each.model_dump() for each in _changes(request, now)[:_MOST_LINES]],
    }


def _new_quote(line: Any) -> dict[str, Any]:
    return {
        "line_id": line.line_id,
        "sku": line.sku,
        "name": line.name,
        "new_quantity": line.quantity,
        "new_price": line.unit_price,
    }


def _shown(cart: Cart) -> dict[str, LineChange]:
    return {item.line_id: LineChange(**_new_quote(item)) for item in cart.items}


def _changes(request: CheckoutRequest, now: dict[str, LineChange]) -> list[LineChange]:
    """Return the lines that differ; all that there are now, where the request does not say what was shown."""
    if request.lines is None:
        return list(now.values())
    changes = []
    for line in request.lines:
        is_now = now.pop(line.line_id, LineChange(line_id=line.line_id))
        change = is_now.model_copy(update={"old_quantity": line.quantity, "old_price": line.unit_price})
        if (change.old_quantity, change.old_price) != (change.new_quantity, change.new_price):
            changes.append(change)
    return [*changes, *now.values()]
