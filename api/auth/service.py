"""Registering, logging in and out, and changing a password."""

from dataclasses import dataclass

from api.auth.ended import Session
from api.auth.limits import AttemptLimits
from api.auth.password_rules import check
from api.auth.passwords import Passwords
from api.auth.sessions import Sessions
from api.auth.tokens import Bearer, Role, Tokens, User, unauthorized
from api.auth.users import Account, EmailTakenError, Users
from api.cart.service import CartService
from api.problems import FieldError, Problem, invalid
from schemas.envelope import fresh_id

_WRONG = "email or password is wrong"


@dataclass(frozen=True)
class LoggedIn:
    """A user who has just logged in. `merge_command_id` is the command that merges the guest's cart."""

    user: User
    token: str
    seconds: int
    merge_command_id: str | None = None


class Accounts:
    """The platform's accounts."""

    def __init__(
        self,
        users: Users,
        sessions: Sessions,
        passwords: Passwords,
        tokens: Tokens,
        limits: AttemptLimits,
        carts: CartService,
    ) -> None:
        self._users = users
        self._sessions = sessions
        self._passwords = passwords
        self._tokens = tokens
        self._limits = limits
        self._carts = carts

    async def register(self, email: str, password: str, client: str) -> User:
        """Create a customer's account.

        `client` is the caller's address. Raises Problems: 409 where the address is taken, 422 where the
        password breaks a rule, 429 after too many attempts, 503 in a flood of them.
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
    ) -> LoggedIn:
        """Begin a session; a guest's cart is merged into the user's (`wait` seconds for its outcome).

        Raises Problems: 401, the same for an unknown address, a wrong password and a deactivated account, 429
        after too many attempts, and 503 in a flood of them.
        """
        await self._limits.attempt(client, email)
        account = await self._users.by_email(email)
        fits = await self._passwords.verify(account.password_hash if account else None, password)
        if account is None or not fits or not account.active:
            raise unauthorized(_WRONG)
        session_id = await self._sessions.begin(account, self._tokens.seconds)
        if session_id is None:
            raise unauthorized(_WRONG)
        await self._limits.succeeded(client, email)
        merge = None
        if guest_cart is not None:
            # The cart's secret id proves who bought with it; orders on their way become the account's, too.
            await self._users.claim(account.user.user_id, guest_cart)
            merge = await self._carts.merge(guest_cart, account.user.user_id, wait)
        token = self._tokens.issue(account.user, session_id, account.session_version)
        return LoggedIn(account.user, token, self._tokens.seconds, merge)

    async def logout(self, session: Session) -> None:
        """End a session; its tokens are refused everywhere within a second."""
        await self._sessions.end(session)

    async def logout_everywhere(self, user: User) -> None:
        """End every session of a user."""
        await self._sessions.end_all(user.user_id)

    async def change_password(
        self, bearer: Bearer, password: str, new_password: str, client: str
    ) -> LoggedIn:
        """Set a new password: every session of the user ends, and a new one begins for the caller.

        Raises Problems: 401 where the account is gone, 409 where somebody else changed it meanwhile, 422
        where `password` is not the old one or `new_password` breaks a rule, 429 after too many attempts.
        """
        await self._limits.attempt(client, bearer.user.email)
        account = await self._users.by_id(bearer.user.user_id)
        fits = await self._passwords.verify(account.password_hash if account else None, password)
        if account is None or not account.active:
            raise unauthorized("the account is no more", "invalid_token")
        if not fits:
            raise invalid("password", "wrong", "is not the account's password")
        check(new_password, account.user.email, "new_password")
        hashed = await self._passwords.hash(new_password)
        session = await self._sessions.change_password(account, hashed, self._tokens.seconds)
        if session is None:
            raise Problem(409, "the account has changed meanwhile; log in again")
        token = self._tokens.issue(account.user, session.session_id, session.version)
        return LoggedIn(account.user, token, self._tokens.seconds)
