"""Markers of orders that a SKU is done with: how they come, how long they stay."""

from streams.inventory.policy import StockPolicy
from tables.stock import Settled, Settlement, Stock


def marked(
    policy: StockPolicy, stock: Stock, order_id: str, settlement: Settlement, at: int
) -> dict[str, Settled]:
    """Return the markers with the order's as the newest; beyond the limit the oldest goes."""
    markers = {**stock.settled, order_id: Settled(settlement, at)}
    if len(markers) > policy.marker_limit:
        del markers[next(iter(markers))]
    return markers


def expired(policy: StockPolicy, stock: Stock, now: int) -> dict[str, Settled]:
    """Return the markers that outlive `now` (ms)."""
    return {
        order_id: marker
        for order_id, marker in stock.settled.items()
        if marker.at + policy.marker_retention_ms > now
    }


def sweep_due(policy: StockPolicy, stock: Stock) -> int | None:
    """Return when (ms) the SKU wants to be swept, or None.

    Times are rounded up to whole sweeps, so that a busy SKU is woken once for many markers.
    """
    if not stock.settled:
        return None
    oldest = next(iter(stock.settled.values())).at + policy.marker_retention_ms
    return -(-oldest // policy.marker_sweep_ms) * policy.marker_sweep_ms
