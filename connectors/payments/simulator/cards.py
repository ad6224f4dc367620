"""Cards and tokens: which card does what. A card number is looked at once, here, and kept nowhere.

| number              | fixed token            | behaviour                                                 |
|---------------------|------------------------|-----------------------------------------------------------|
| 4242 4242 4242 4242 | `tok_visa`             | approved, as is any other valid number                    |
| 4000 0000 0000 0002 | `tok_declined`         | declined: `card_declined`                                 |
| 4000 0000 0000 9995 | `tok_insufficient`     | declined: `insufficient_funds`                            |
| 4000 0000 0000 0119 | `tok_processing_error` | 503 at every attempt: the card's bank does not answer     |
| 4000 0000 0000 0077 | `tok_slow`             | approved, 5 s late                                        |
| 4000 0000 0000 0341 | `tok_capture_fails`    | authorised, but its capture is declined: `capture_refused`|
"""

from enum import StrEnum
from itertools import cycle


class Behaviour(StrEnum):
    """What a card does when it is charged."""

    APPROVED = "approved"
    DECLINED = "card_declined"
    INSUFFICIENT = "insufficient_funds"
    PROCESSING_ERROR = "processing_error"
    SLOW = "slow"
    CAPTURE_FAILS = "capture_refused"


DECLINES = frozenset({Behaviour.DECLINED, Behaviour.INSUFFICIENT})

SLOW_SECONDS = 5.0

FIXED_TOKENS: dict[str, tuple[Behaviour, str]] = {
    "tok_visa": (Behaviour.APPROVED, "4242"),
    "tok_declined": (Behaviour.DECLINED, "0002"),
    "tok_insufficient": (Behaviour.INSUFFICIENT, "9995"),
    "tok_processing_error": (Behaviour.PROCESSING_ERROR, "0119"),
    "tok_slow": (Behaviour.SLOW, "0077"),
    "tok_capture_fails": (Behaviour.CAPTURE_FAILS, "0341"),
}
"""Tokens that need no card: behaviour and last four digits."""

_BY_NUMBER = {
    "4000000000000002": Behaviour.DECLINED,
    "4000000000009995": Behaviour.INSUFFICIENT,
    "4000000000000119": Behaviour.PROCESSING_ERROR,
    "4000000000000077": Behaviour.SLOW,
    "4000000000000341": Behaviour.CAPTURE_FAILS,
}

_MIN_DIGITS, _MAX_DIGITS = 12, 19


def valid_number(number: str) -> bool:
    """Say whether a card number (digits only) has 12 to 19 digits and passes Luhn's check."""
    if not (number.isascii() and number.isdigit() and _MIN_DIGITS <= len(number) <= _MAX_DIGITS):
        return False
    total = 0
    for digit, weight in zip(map(int, reversed(number)), cycle((1, 2))):
        product = digit * weight
        total += product - 9 if product > 9 else product  # noqa: PLR2004 - the sum of two digits
    return total % 10 == 0


def behaviour(number: str) -> Behaviour:
    """Return what a valid card number does."""
    return _BY_NUMBER.get(number, Behaviour.APPROVED)
