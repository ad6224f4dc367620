"""How long to wait: for a provider that is unavailable, and for an answer that does not come."""

from zlib import crc32

from streams.payment.policy import PaymentPolicy

_SPREAD = 0.2


def retry_delay(policy: PaymentPolicy, order_id: str, attempt: int) -> int:
    """Return the ms until the attempt after `attempt` (from 1): doubled each time, up to a limit.

    Up to a fifth is taken off, by order and attempt, so that an outage does not end in one thunderclap.
    """
    delay = _doubled(policy.first_retry_ms, policy.longest_retry_ms, attempt)
    share = crc32(f"{order_id}:{attempt}".encode()) / 0xFFFFFFFF
    return max(1, delay - int(delay * _SPREAD * share))


def answer_delay(policy: PaymentPolicy, attempt: int) -> int:
    """Return the ms within which `attempt` (from 1) should be answered."""
    return _doubled(policy.answer_ms, policy.longest_answer_ms, attempt)


def _doubled(first: int, longest: int, attempt: int) -> int:
    # An exponent beyond the limit's own bits changes nothing, but would make a number without end.
    return min(first << min(attempt - 1, longest.bit_length()), longest)
