import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.pages.rendering import HUES, clock, hue, initials, iso, money


@pytest.mark.parametrize(
    ("minor", "currency", "shown"),
    [(295, "GBP", "£2.95"), (100_000, "GBP", "£1,000.00"), (-5, "GBP", "-£0.05"), (295, "JPY", "JP¥295")],
)
def test_money_is_shown_by_its_currency(minor: int, currency: str, shown: str) -> None:
    assert money(minor, currency) == shown


@given(st.text(max_size=50))
def test_any_name_has_initials_and_a_hue(name: str) -> None:
    assert 1 <= len(initials(name)) <= 6
    assert 0 <= hue(name) < HUES


def test_initials_skip_what_is_no_letter() -> None:
    assert initials("- white Hanging heart") == "WH"


def test_times_are_utc() -> None:
    assert iso(0) == "1970-01-01T00:00:00.000+00:00"
    assert clock(1) == "00:00:00.001"
