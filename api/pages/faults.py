"""What is wrong with a form, field by field, in the shopper's words. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from api import wording
from api.problems import FieldError

_WORDS = {
    ("email", "value_error"): "Type an email address, like ada@example.com.",
    ("name", "string_too_short"): "Type the name of whoever gets the parcel.",
    ("country", "string_too_short"): "Choose the country from the list.",
    ("card_number", "luhn"): "This is not the number of a card: please check its digits.",
    ("expiry", "expired"): "This card has expired.",
}
_RULES = {
    "string_too_long": "This is too long.",
}
# Rules that have no words of their own here and whose message was written for people.
_SPOKEN = frozenset(
    {"card_number", "expiry", "cvc", "country", "line1", "city", "postcode", "string_pattern_mismatch"}
)


def of_model(errors: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return what is wrong by field, of a model's validation errors."""
    named = [(str(each["loc"][-1]), each) for each in errors]
    return {field: _told(field, each["type"], wording.of_error(each)) for field, each in named}


def of_problem(errors: Iterable[FieldError]) -> dict[str, str]:
    """Return what is wrong by field, of a problem's errors."""
    named = [(each.field.rsplit(".", 1)[-1], each) for each in errors]
    return {field: _told(field, each.rule, each.message) for field, each in named}


def _told(field: str, rule: str, message: str) -> str:
    words = _WORDS.get((field, rule)) or _RULES.get(rule)
    return words or (message if rule in _SPOKEN else "Please check this.")
