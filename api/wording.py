"""What a broken rule is called, for programs and for shoppers: one source for problem documents and pages.

A pattern says nothing to whoever reads it, and a validator's own prefixes ("Value error, ") no more. So
every pattern of the API's models stands here, with the words for what it asks.
"""

from collections.abc import Mapping
from typing import Any, Final

from schemas.sku import SKU_MAX_LENGTH

NO_NUL: Final = r"^[^\x00]*$"
NAMED_NO_NUL: Final = r"^[^\x00]+$"
SKU: Final = r"^[A-Za-z0-9]([A-Za-z0-9 ._/\-]*[A-Za-z0-9])?$"
GUEST_CART: Final = r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
"""A random UUID (version 4), as the API gives them to guests."""
TOKEN: Final = r"^[A-Za-z0-9_\-]{1,200}$"  # noqa: S105 (no token, but what one looks like)
KEY: Final = r"^[\x21-\x7e]+$"
REFERENCE: Final = r"^[\x21-\x7e]{1,100}$"
SCHEMA_VERSION: Final = r"^(latest|[1-9][0-9]{0,8})$"

_NUL = "There is a character in this that cannot be used: NUL."
PATTERNS: Final = {
    NO_NUL: _NUL,
    NAMED_NO_NUL: _NUL,
    SKU: f"A SKU is 1 to {SKU_MAX_LENGTH} letters and digits, with blanks, dots and ._/- between them.",
    GUEST_CART: "A guest's cart is named by a random UUID (version 4), in small letters.",
    TOKEN: "A payment token is 1 to 200 letters, digits, _ and -.",
    KEY: "Printable ASCII characters without blanks are allowed here.",
    REFERENCE: "1 to 100 printable ASCII characters without blanks are allowed here.",
    SCHEMA_VERSION: "A version is its number, from 1 on, or `latest`.",
}
"""What each pattern asks, in words."""

_RULES = {
    "string_pattern_mismatch": "There is a character in this that cannot be used.",
    "uuid_parsing": "This is no UUID.",
}
_PREFIXES = ("Value error, ", "Assertion failed, ")


def said(rule: str, message: str, context: Mapping[str, Any] | None = None) -> str:
    """Return what a broken rule says; `context` is the validator's, which knows the pattern."""
    if words := PATTERNS.get(str((context or {}).get("pattern"))) or _RULES.get(rule):
        return words
    for prefix in _PREFIXES:
        message = message.removeprefix(prefix)
    return message


def of_error(error: Mapping[str, Any]) -> str:
    """Return what one of a model's validation errors says."""
    return said(error["type"], error["msg"], error.get("ctx"))
