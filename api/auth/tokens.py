"""Access tokens: JWTs signed with RS256, each of one session."""

import time
from dataclasses import dataclass
from enum import StrEnum

import jwt

from api.auth.ended import EndedSessions, Session
from api.auth.keys import SigningKey
from api.problems import FieldError, Problem
from schemas.envelope import fresh_id

ISSUER = "ecommerce"
AUDIENCE = "ecommerce-api"
FIRST_VERSION = 1
_ALGORITHM = "RS256"
_CLAIMS = ["exp", "iat", "sub", "sid", "ver"]


class Role(StrEnum):
    """What a user may do."""

    CUSTOMER = "customer"
    STAFF = "staff"


@dataclass(frozen=True)
class User:
    """Whom a token speaks for."""

    user_id: str
    email: str
    role: Role


@dataclass(frozen=True)
class Bearer:
    """A user, and the session by which it is known."""

    user: User
    session: Session


class Tokens:
    """Issues access tokens, and reads those whose session has not ended."""

    def __init__(self, key: SigningKey, seconds: int, ended: EndedSessions) -> None:
        self._key = key
        self._ended = ended
        self.seconds = seconds

    def issue(self, user: User, session_id: str | None = None, version: int = FIRST_VERSION) -> str:
        """Return a token of a session (a new one where none is named) that is valid from now for `seconds`.

        `version` is the account's session version at its log-in.
        """
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": user.user_id,
            "email": user.email,
            "role": user.role.value,
            "iat": now,
            "exp": now + self.seconds,
            "jti": fresh_id(),
            "sid": session_id or fresh_id(),
            "ver": version,
        }
        return jwt.encode(claims, self._key.private, algorithm=_ALGORITHM, headers={"kid": self._key.key_id})

    def read(self, token: str) -> Bearer:
        """Return whom the token speaks for.

        Raises Problems: 401 where it is expired, foreign or broken, or its session has ended; 503 where it
        has not been known for too long which sessions have.
        """
        bearer = self._read(token)
        self._ended.check_hearing()
        if self._ended.has_ended(bearer.session):
            raise unauthorized("the session has ended; log in again", "invalid_token")
        return bearer

    def _read(self, token: str) -> Bearer:
        try:
            claims = jwt.decode(
                token,
                self._key.public,
                algorithms=[_ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                options={"require": _CLAIMS},
            )
            user = User(str(claims["sub"]), str(claims["email"]), Role(claims["role"]))
            # Ends are remembered for as long as tokens live; none may outlive that, whoever issued it.
            expires_at = min(int(claims["exp"]), int(claims["iat"]) + self.seconds)
            session = Session(str(claims["sid"]), user.user_id, int(claims["ver"]), expires_at)
        except jwt.ExpiredSignatureError as error:
            raise unauthorized("the access token has expired", "invalid_token") from error
        except (jwt.InvalidTokenError, KeyError, TypeError, ValueError) as error:
            raise unauthorized("the access token is not valid", "invalid_token") from error
        if expires_at <= time.time():
            raise unauthorized("the access token has expired", "invalid_token")
        return Bearer(user, session)


def unauthorized(detail: str, code: str | None = None, errors: list[FieldError] | None = None) -> Problem:
    """Return the 401 problem with its challenge (RFC 6750)."""
    challenge = 'Bearer realm="ecommerce"' + (f', error="{code}"' if code else "")
    return Problem(401, detail, errors=errors, headers={"WWW-Authenticate": challenge})
