"""Markers of orders that a SKU is done with: how they come, how long they stay.

A marker is an entry of its own, and so is a page of them: a change of the stock writes none of the others,
however many there are.
"""

from typing import Final

from msgspec.structs import replace

from streams.inventory.policy import StockPolicy
from tables.inventory.stock import Page, Reservation, Settled, Settlement, Stock
from tables.parts import Parts

PAGE_ORDERS: Final = 16
SWEPT_PAGES: Final = 256
"""Pages that one sweep forgets: what it deletes is one record batch of the changelog."""

_SPREAD_MS: Final = 1_000


def held(stock: Stock, order_id: str) -> Reservation | None:
    """Return the order's open reservation."""
    part = stock.orders.get(order_id)
    return part if isinstance(part, Reservation) else None


def settlement(stock: Stock, order_id: str) -> Settlement | None:
    """Return how the order ended, as long as that is remembered."""
    part = stock.orders.get(order_id)
    return part.settlement if isinstance(part, Settled) else None


def marked(policy: StockPolicy, stock: Stock, order_id: str, end: Settlement, at: int) -> Stock:
    """Return the stock with a marker in place of the order's reservation; `at` in ms."""
    first, following = stock.pages
    page = _page(stock.orders, following - 1) if following > first else None
    if page is None or len(page.orders) >= PAGE_ORDERS or at - page.since >= policy.marker_sweep_ms:
        page, following = Page((order_id,), at, at), following + 1
    else:
        page = Page((*page.orders, order_id), page.since, max(page.until, at))
    return replace(
        stock,
        orders=stock.orders.set(order_id, Settled(end)).set(_name(following - 1), page),
        pages=(first, following),
        oldest=page.until if following - 1 == first else stock.oldest,
    )


def swept(policy: StockPolicy, stock: Stock, now: int) -> Stock:
    """Return the stock without the markers whose time is over at `now` (ms), or the same one."""
    orders, (first, following), oldest = stock.orders, stock.pages, stock.oldest
    end = min(following, first + SWEPT_PAGES)
    while first < end and oldest + policy.marker_retention_ms <= now:
        for order_id in _page(orders, first).orders:
            orders = orders.delete(order_id)
        orders = orders.delete(_name(first))
        first += 1
        oldest = _page(orders, first).until if first < following else 0
    if first == stock.pages[0]:
        return stock
    return replace(stock, orders=orders, pages=(first, following), oldest=oldest)


def sweep_due(policy: StockPolicy, stock: Stock) -> int | None:
    """Return when (ms) the SKU wants to be swept, or None.

    Times are rounded up to whole sweeps, so that a busy SKU is woken once for many markers. What a sweep has
    left is due at another time: the same one is not fired twice.
    """
    first, following = stock.pages
    if first == following:
        return None
    over = stock.oldest + policy.marker_retention_ms
    return -(-over // policy.marker_sweep_ms) * policy.marker_sweep_ms + first % _SPREAD_MS


def _page(orders: Parts[Reservation | Settled | Page], number: int) -> Page:
    page = orders.get(_name(number))
    assert isinstance(page, Page), "pages are numbered without gaps"
    return page


def _name(number: int) -> str:
    return f"page-{number}"
