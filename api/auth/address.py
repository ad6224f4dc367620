"""E-mail addresses: one account per address, however the address is written."""

import unicodedata
from dataclasses import dataclass
from typing import Annotated

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

LONGEST = 254


@dataclass(frozen=True)
class Address:
    """An address as it is shown, and the `key` by which accounts are told apart.

    The key is the same for upper and lower case, composed and decomposed letters (Unicode NFC), blanks
    around it, and for an internationalised domain in its own letters and in its ASCII form (IDNA).
    `older` are the forms under which accounts without a key may have been kept.
    """

    written: str
    key: str
    older: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> "Address":
        """Return the address that a text names; raises ValueError, in words for people, for others."""
        stripped = text.strip()
        try:
            found = validate_email(stripped, check_deliverability=False)
        except EmailNotValidError as error:
            raise ValueError(str(error)) from None
        key = f"{_lower(found.local_part)}@{found.ascii_domain.lower()}"
        return cls(found.normalized, key, tuple({stripped.lower(), found.normalized.lower(), key}))


def _lower(text: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).lower())


def _valid(text: str) -> str:
    try:
        return Address.of(text).written
    except ValueError as error:
        # The text is the caller's own; what is wrong with it is said in words of the validator.
        raise PydanticCustomError("email", "{reason}", {"reason": str(error)}) from None


Email = Annotated[
    str, Field(max_length=LONGEST, json_schema_extra={"format": "email"}), AfterValidator(_valid)
]
