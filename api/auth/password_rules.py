"""The rules for new passwords, and the one form in which a password is hashed."""

import unicodedata

from api.problems import invalid

SHORTEST = 10
LONGEST = 128
# A name of two letters is in any password.
_TELLING = 3

# The most common passwords that are long enough for the length rule.
_COMMON = frozenset(
    {
        "1234567890",
        "0123456789",
        "1234567891",
        "0987654321",
        "1q2w3e4r5t",
        "qwertyuiop",
        "password12",
        "password123",
        "password1234",
        "passwordpassword",
        "q1w2e3r4t5",
        "iloveyou12",
        "iloveyou123",
        "letmein123",
        "welcome123",
        "qwerty12345",
        "qwerty123456",
        "administrator",
        "basketball",
        "1qaz2wsx3edc",
    }
)


def prepared(password: str) -> str:
    """Return the password as every keyboard gives it, by RFC 8265 (OpaqueString): composed, plain spaces.

    The same letters come composed from one system and decomposed from another.
    """
    spaces = ("\x20" if unicodedata.category(letter) == "Zs" else letter for letter in password)
    return unicodedata.normalize("NFC", "".join(spaces))


def check(password: str, email: str, field: str = "password") -> None:
    """Raise a 422 Problem naming the rule that the password, prepared, breaks; `field` is what gave it.

    It has 10 to 128 characters and no control characters, is neither one character repeated nor a common
    password, and does not hold the address that it protects.
    """
    broken = _broken_rule(prepared(password), email.partition("@")[0].lower())
    if broken is not None:
        raise invalid(field, *broken)


def _broken_rule(password: str, name: str) -> tuple[str, str] | None:
    lowered = password.lower()
    rules = (
        (len(password) < SHORTEST, "too_short", f"must have at least {SHORTEST} characters"),
        (len(password) > LONGEST, "too_long", f"must have at most {LONGEST} characters"),
        (
            any(unicodedata.category(letter) == "Cc" for letter in password),
            "control_character",
            "must not contain control characters",
        ),
        (len(set(password)) == 1, "repeated", "must not be one character repeated"),
        (lowered in _COMMON, "common", "is one of the most common passwords"),
        (
            len(name) >= _TELLING and name in lowered,
            "contains_email",
            "must not contain the name in the email address",
        ),
    )
    return next(((rule, message) for broken, rule, message in rules if broken), None)
