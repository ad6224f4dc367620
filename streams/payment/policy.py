"""The rules of payment that a shop may set for itself."""

import msgspec

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


class PaymentPolicy(msgspec.Struct, frozen=True):
    """Patience with the provider, and how long payments are kept; all in ms.

    An unavailable provider is asked again after `first_retry_ms`, doubled by every attempt up to
    `longest_retry_ms`. An instruction that nobody answers is given again after `answer_ms`, doubled likewise
    up to `longest_answer_ms`. A payment at its end leaves the table after `retention_ms`; a captured one can
    be refunded until `refund_window_ms` after the delivery, which must be no less than the order's own.
    """

    first_retry_ms: int = 1_000
    longest_retry_ms: int = 60_000
    answer_ms: int = 60_000
    longest_answer_ms: int = 900_000
    retention_ms: int = HOUR_MS
    refund_window_ms: int = 31 * DAY_MS
