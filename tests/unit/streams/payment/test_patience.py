"""Waits grow, within bounds, for any number of attempts."""

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.payment.patience import answer_delay, retry_delay
from streams.payment.policy import PaymentPolicy

POLICIES = st.builds(
    PaymentPolicy,
    first_retry_ms=st.integers(1, 5_000),
    longest_retry_ms=st.integers(5_000, 10_000_000),
    answer_ms=st.integers(1, 5_000),
    longest_answer_ms=st.integers(5_000, 10_000_000),
)


@settings(print_blob=True)
@given(policy=POLICIES, order_id=st.uuids().map(str), attempt=st.integers(1, 10**6))
def test_a_retry_waits_within_its_bounds(policy: PaymentPolicy, order_id: str, attempt: int) -> None:
    delay = retry_delay(policy, order_id, attempt)
    whole = min(policy.first_retry_ms * 2 ** min(attempt - 1, 64), policy.longest_retry_ms)
    assert max(1, whole * 0.8) <= delay <= whole
    assert delay == retry_delay(policy, order_id, attempt)


@settings(print_blob=True)
@given(policy=POLICIES, attempt=st.integers(1, 10**6))
def test_an_answer_is_awaited_longer_each_time_up_to_a_limit(policy: PaymentPolicy, attempt: int) -> None:
    delay = answer_delay(policy, attempt)
    assert policy.answer_ms <= delay <= answer_delay(policy, attempt + 1) <= policy.longest_answer_ms
