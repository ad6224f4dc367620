from api.pages.faults import of_model, of_problem
from api.problems import FieldError


def test_rules_are_told_in_words_and_internals_never() -> None:
    errors = [
        {"loc": ("email",), "type": "value_error", "msg": "value is not a valid email address: An email"},
        {"loc": ("address", "name"), "type": "string_too_short", "msg": "String should have"},
        {"loc": ("address", "line1"), "type": "string_too_long", "msg": "String should have"},
        {"loc": ("address", "city"), "type": "string_pattern_mismatch", "msg": "String should match"},
        {"loc": ("address", "postcode"), "type": "postcode", "msg": "This is no postcode."},
        {"loc": ("lines",), "type": "surprising", "msg": "Input should be"},
    ]
    assert of_model(errors) == {
        "email": "Type an email address, like ada@example.com.",
        "name": "Type the name of whoever gets the parcel.",
        "line1": "This is too long.",
        "city": "There is a character in this that cannot be used.",
        "postcode": "This is no postcode.",
        "lines": "Please check this.",
    }


def test_what_the_provider_refuses_is_told_at_its_field() -> None:
    error = FieldError(field="payment.card_number", rule="luhn", message="not the number of a card")
    assert of_problem([error])["card_number"].startswith("This is not the number of a card")
