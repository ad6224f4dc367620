"""Registering and logging in."""

from dataclasses import dataclass

from api.auth.limits import AttemptLimits
from api.auth.passwords import Passwords, check
from api.auth.tokens import Role, Tokens, User, unauthorized
from api.auth.users import Account, EmailTakenError, Users
from api.carts.service import CartService
from api.problems import FieldError, Problem
from schemas.envelope import fresh_id


@dataclass(frozen=True)
class Session:
    """A user who has just logged in. `merge_command_id` is the command that merges the guest's cart."""

    user: User
    token: str
    seconds: int
    merge_command_id: str | None = None


class Accounts:
    """The platform's accounts."""

    def __init__(
        self, users: Users, passwords: Passwords, tokens: Tokens, limits: AttemptLimits, carts: CartService
    ) -> None:
        self._users = users
        self._passwords = passwords
        self._tokens = tokens
        self._limits = limits
        self._carts = carts

    async def register(self, email: str, password: str, client: str) -> User:
        """Create a customer's account.

        `client` is the caller's address. Raises Problems: 409 where the address is taken, 422 where the
        password breaks a rule, 429 after too many attempts.
        """
        await self._limits.attempt(client, email)
        check(password, email)
        user = User(fresh_id(), email, Role.CUSTOMER)
        try:
            await self._users.add(Account(user, await self._passwords.hash(password)))
        except EmailTakenError as error:
            taken = FieldError(field="email", rule="taken", message="already has an account")
            raise Problem(409, "email: already has an account", errors=[taken]) from error
        return user

    async def login(
        self, email: str, password: str, client: str, guest_cart: str | None = None, wait: float | None = None
    ) -> Session:
        """Return a session; a guest's cart is merged into the user's (`wait` seconds for its outcome).

        Raises Problems: 401, the same for an unknown address and a wrong password, and 429.
        """
        await self._limits.attempt(client, email)
        account = await self._users.by_email(email)
        fits = await self._passwords.verify(account.password_hash if account else None, password)
        if account is None or not fits:
            raise unauthorized("email or password is wrong")
        merge = None
        if guest_cart is not None:
            merge = await self._carts.merge(guest_cart, account.user.user_id, wait)
        return Session(account.user, self._tokens.issue(account.user), self._tokens.seconds, merge)
