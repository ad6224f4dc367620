"""The rules of carts that a shop may set for itself."""

import msgspec

MINUTE_MS = 60_000
DAY_MS = 86_400_000


class CartPolicy(msgspec.Struct, frozen=True):
    """Limits of a cart, in lines, pieces and minor units; and its times, in ms.

    A cart with lines expires `idle_ms` after its last change. An empty, expired or merged one leaves the
    table after `retention_ms`, which must not be shorter than clients may repeat a checkout with the same
    order id (the API's idempotency window). A checkout ends, or a request that waits for lines fails,
    `checkout_ms` after it was asked for. `remembered_commands` and `remembered_orders` are how many answered
    commands and ended checkouts a cart recognises when they come again.
    """

    max_lines: int = 2000
    max_quantity: int = 100_000
    max_line_id: int = 100
    max_agreed_price: int = 100_000_000
    idle_ms: int = 7 * DAY_MS
    retention_ms: int = DAY_MS
    checkout_ms: int = 15 * MINUTE_MS
    remembered_commands: int = 256
    remembered_orders: int = 32
