"""A card as people write it, brought to the one form that the payment provider takes. Pure."""

import re

_BETWEEN = re.compile(r"[\s\u00ad\u2010-\u2015\u2212.\-]+")
_NUMBER = re.compile(r"[0-9]{12,19}")
_EXPIRY = re.compile(r"(0?[1-9]|1[0-2])[/.\-]?(?:20)?([0-9]{2})")
_JOINED = re.compile(r"(0[1-9]|1[0-2])(?:20)?([0-9]{2})")
_CVC = re.compile(r"[0-9]{3,4}")


def number(written: str) -> str:
    """Return a card number's digits without what people put between them; raises ValueError, in words."""
    digits = _BETWEEN.sub("", written)
    if _NUMBER.fullmatch(digits) is None:
        raise ValueError("Type the number on the card: 12 to 19 digits.")
    return digits


def expiry(written: str) -> str:
    """Return an expiry date as MM/YY, also of "12 / 29", "1229" or "12/2029"; raises ValueError, in words."""
    text = re.sub(r"\s+", "", written)
    found = (_JOINED if text.isdigit() else _EXPIRY).fullmatch(text)
    if found is None:
        raise ValueError("Type the month and year on the card, like 12/30.")
    return f"{int(found[1]):02d}/{found[2]}"


def cvc(written: str) -> str:
    """Return the card's security code; raises ValueError, in words."""
    digits = written.strip()
    if _CVC.fullmatch(digits) is None:
        raise ValueError("Type the 3 or 4 digits of the card's security code.")
    return digits
