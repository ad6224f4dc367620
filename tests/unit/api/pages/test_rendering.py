import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from api.pages.rendering import HUES, clock, hue, initials, iso, money
from api.pages.route import same_origin


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


def request(**headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "POST", "path": "/", "headers": raw})


@pytest.mark.parametrize(
    ("headers", "accepted"),
    [
        ({"sec_fetch_site": "same-origin"}, True),
        ({"sec_fetch_site": "cross-site"}, False),
        ({"sec_fetch_site": "same-site"}, False),
        ({"origin": "http://shop", "host": "shop"}, True),
        ({"origin": "http://evil", "host": "shop"}, False),
        ({"host": "shop"}, True),
    ],
)
def test_forms_of_other_sites_are_refused(headers: dict[str, str], accepted: bool) -> None:  # noqa: FBT001 (parametrised)
    assert same_origin(request(**headers)) is accepted
