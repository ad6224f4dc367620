"""Passwords are kept as argon2id hashes only."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cached_property
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from api.auth.password_rules import prepared
from api.problems import Problem

_AT_ONCE = 2
_T = TypeVar("_T")


def made_up() -> str:
    """Return a password that nobody can guess: 120 random bits, in a form that can be read out."""
    letters = "abcdefghijkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(6)) for _ in range(4))


class Passwords:
    """Hashes and verifies passwords in threads, at most two at a time: each takes 64 MiB.

    `waiting` more may wait for their turn; beyond that the answer is a 503 Problem, so that a flood of
    log-ins costs neither memory nor everyone's patience.
    """

    def __init__(self, waiting: int = 32) -> None:
        self._hasher = PasswordHasher()
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._most = _AT_ONCE + waiting
        self._present = 0

    @cached_property
    def _nobody(self) -> str:
        return self._hasher.hash("no account has this password")

    async def hash(self, password: str) -> str:
        """Return the prepared password's argon2id hash with its own salt; raises a 503 Problem in a flood."""
        return await self._in_turn(lambda: self._hasher.hash(prepared(password)))

    async def verify(self, stored: str | None, password: str) -> bool:
        """Whether the password fits; takes as long where there is no account (`stored` is None).

        Raises a 503 Problem in a flood.
        """
        return await self._in_turn(lambda: self._verify(stored, password))

    def _verify(self, stored: str | None, password: str) -> bool:
        fits = self._fits(stored, prepared(password))
        if not fits and prepared(password) != password:
            # Accounts are older than the preparation: theirs may be hashed as it was typed.
            fits = self._fits(stored, password)
        return fits

    def _fits(self, stored: str | None, password: str) -> bool:
        try:
            self._hasher.verify(self._nobody if stored is None else stored, password)
        except (VerificationError, InvalidHashError):
            return False
        return stored is not None

    async def _in_turn(self, work: Callable[[], _T]) -> _T:
        async with self._present_here(), self._places:
            return await asyncio.to_thread(work)

    @asynccontextmanager
    async def _present_here(self) -> AsyncIterator[None]:
        if self._present >= self._most:
            raise Problem(503, "too many people are logging in right now", headers={"Retry-After": "2"})
        self._present += 1
        try:
            yield
        finally:
            self._present -= 1
