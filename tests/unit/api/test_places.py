"""Addresses and cards as people write them."""

import pytest
from pydantic import ValidationError

from api.checkout import places
from api.checkout.models import Card, DeliveryAddress

HOME = {
    "name": "Ada",
    "country": "GB",
    "line1": "12 St James's Square",
    "city": "London",
    "postcode": "SW1Y 4JH",
}


def faulty(**given: str | None) -> dict[str, str]:
    try:
        DeliveryAddress.model_validate({**HOME, **given})
    except ValidationError as error:
        return {str(each["loc"][-1]): each["msg"] for each in error.errors()}
    return {}


@pytest.mark.parametrize(
    ("country", "code"),
    [("GB", "GB"), (" gb ", "GB"), ("united kingdom", "GB"), ("asdf", None), ("ZZ", None), ("", None)],
)
def test_a_country_is_given_by_code_or_name(country: str, code: str | None) -> None:
    assert places.code_of(country) == code


def test_all_faults_are_told_at_once() -> None:
    said = faulty(country="asdf", postcode="1", city=" ", line1="")
    assert set(said) == {"country", "city", "line1"}
    said = faulty(postcode="1", city=" ", name=" ")
    assert set(said) == {"name", "city", "postcode"}
    assert said["postcode"] == (
        "This is no postcode of United Kingdom. Postcodes in United Kingdom look like EC1Y 8SY."
    )


@pytest.mark.parametrize(
    ("country", "postcode", "sound"),
    [
        ("GB", "sw1y4jh", True),
        ("GB", "", False),
        ("US", "95014-1234", True),
        ("US", "9501", False),
        ("DE", "10115", True),
        ("NL", "1234 AB", True),
        ("IE", "", True),
        ("HK", "", True),
    ],
)
def test_a_postcode_is_its_countrys(country: str, postcode: str, *, sound: bool) -> None:
    assert ("postcode" not in faulty(country=country, postcode=postcode)) == sound


def test_every_country_takes_its_own_examples() -> None:
    assert len(places.countries()) > 240
    wrong = {
        code: example
        for code in places.countries()
        for example in places._rules(code).postal_code_examples
        if places.fault("postcode", example, code)
    }
    assert wrong == {}


@pytest.mark.parametrize(
    ("field", "written", "taken"),
    [
        ("card_number", "4242-4242-4242-4242", "4242424242424242"),
        ("card_number", "4242\N{EN DASH}4242\N{NO-BREAK SPACE}4242 4242", "4242424242424242"),
        ("card_number", "42", None),
        ("card_number", "4242 4242 4242 424x", None),
        ("expiry", "12 / 29", "12/29"),
        ("expiry", "1229", "12/29"),
        ("expiry", "12/2029", "12/29"),
        ("expiry", "122029", "12/29"),
        ("expiry", "1/29", "01/29"),
        ("expiry", "12-29", "12/29"),
        ("expiry", "13/29", None),
        ("expiry", "129", None),
        ("expiry", "12/1999", None),
        ("cvc", " 123 ", "123"),
        ("cvc", "12", None),
    ],
)
def test_a_card_is_taken_as_people_write_it(field: str, written: str, taken: str | None) -> None:
    given = {"card_number": "4242424242424242", "expiry": "12/30", "cvc": "123", field: written}
    if taken is not None:
        assert getattr(Card.model_validate(given), field) == taken
        return
    with pytest.raises(ValidationError) as refused:
        Card.model_validate(given)
    (error,) = refused.value.errors()
    assert error["loc"] == (field,)
    assert error["msg"].startswith("Type the")
