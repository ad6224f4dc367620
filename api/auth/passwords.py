"""Passwords: the rules for new ones, and argon2id hashes."""

import asyncio
from functools import cached_property

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from api.problems import Problem, invalid

SHORTEST = 10
LONGEST = 128

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


def check(password: str, email: str) -> None:
    """Raise a 422 Problem naming the rule that the password breaks.

    It has 10 to 128 characters, is neither one character repeated nor a common password, and does not hold
    the address that it protects.
    """
    broken = _broken_rule(password, email.partition("@")[0].lower())
    if broken is not None:
        raise _problem(*broken)


def _broken_rule(password: str, name: str) -> tuple[str, str] | None:
    if len(password) < SHORTEST:
        return "too_short", f"must have at least {SHORTEST} characters"
    if len(password) > LONGEST:
        return "too_long", f"must have at most {LONGEST} characters"
    if len(set(password)) == 1:
        return "repeated", "must not be one character repeated"
    if password.lower() in _COMMON:
        return "common", "is one of the most common passwords"
    if len(name) > 2 and name in password.lower():  # noqa: PLR2004 (two letters are in any password)
        return "contains_email", "must not contain the name in the email address"
    return None


def _problem(rule: str, message: str) -> Problem:
    return invalid("password", rule, message)


class Passwords:
    """Hashes and verifies passwords in threads, at most two at a time: each takes 64 MiB."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher()
        self._places = asyncio.Semaphore(2)

    @cached_property
    def _nobody(self) -> str:
        return self._hasher.hash("no account has this password")

    async def hash(self, password: str) -> str:
        """Return the password's argon2id hash with its own salt."""
        async with self._places:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def verify(self, stored: str | None, password: str) -> bool:
        """Whether the password fits; takes as long where there is no account (`stored` is None)."""
        async with self._places:
            return await asyncio.to_thread(self._verify, stored, password)

    def _verify(self, stored: str | None, password: str) -> bool:
        try:
            self._hasher.verify(self._nobody if stored is None else stored, password)
        except (VerificationError, InvalidHashError):
            return False
        return stored is not None
