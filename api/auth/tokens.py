"""Access tokens: JWTs signed with RS256."""

import time
from dataclasses import dataclass
from enum import StrEnum

import jwt

from api.auth.keys import SigningKey
from api.problems import FieldError, Problem
from schemas.envelope import fresh_id

ISSUER = "ecommerce"
AUDIENCE = "ecommerce-api"
_ALGORITHM = "RS256"


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


class Tokens:
    """Issues and reads access tokens."""

    def __init__(self, key: SigningKey, seconds: int) -> None:
        self._key = key
        self.seconds = seconds

    def issue(self, user: User) -> str:
        """Return a token that is valid from now on for `seconds`."""
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
        }
        return jwt.encode(claims, self._key.private, algorithm=_ALGORITHM, headers={"kid": self._key.key_id})

    def read(self, token: str) -> User:
        """Return whom the token speaks for; raises a 401 Problem where it is expired, foreign or broken."""
        try:
            claims = jwt.decode(
                token,
                self._key.public,
                algorithms=[_ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                options={"require": ["exp", "iat", "sub"]},
            )
            return User(str(claims["sub"]), str(claims["email"]), Role(claims["role"]))
        except jwt.ExpiredSignatureError as error:
            raise unauthorized("the access token has expired", "invalid_token") from error
        except (jwt.InvalidTokenError, KeyError, ValueError) as error:
            raise unauthorized("the access token is not valid", "invalid_token") from error


def unauthorized(detail: str, code: str | None = None, errors: list[FieldError] | None = None) -> Problem:
    """Return the 401 problem with its challenge (RFC 6750)."""
    challenge = 'Bearer realm="ecommerce"' + (f', error="{code}"' if code else "")
    return Problem(401, detail, errors=errors, headers={"WWW-Authenticate": challenge})
