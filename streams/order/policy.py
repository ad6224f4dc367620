"""The rules of orders that a shop may set for itself."""

import msgspec

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


class OrderPolicy(msgspec.Struct, frozen=True):
    """How long finished orders stay in the table, in ms.

    A cancelled or refunded order leaves after `retention_ms`: until then it is the marker that late messages
    meet. A delivered order can be refunded for `refund_window_ms`. `remembered_commands` is how many answered
    commands an order recognises when they come again.
    """

    retention_ms: int = HOUR_MS
    refund_window_ms: int = 30 * DAY_MS
    remembered_commands: int = 32
