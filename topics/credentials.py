"""The passwords of the embedded servers: random, made at first start, in files that only their owner reads.

`credentials.json` is what the platform's processes log in with. What may do anything to a server is apart, in
`admin.json`, which only a start reads.
"""

import os
import secrets
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import msgspec

_BYTES = 24

FILE = "credentials.json"
ADMIN_FILE = "admin.json"


class CredentialsError(Exception):
    """A file of credentials cannot be read or does not hold what it should."""


class KafkaLoginError(Exception):
    """Kafka refuses this client, and would for ever: another name, password or protocol is needed."""


class Role(StrEnum):
    """Who logs in to the database, each by its own name and with the least rights that do."""

    OWNER = "ecommerce_owner"
    """Owns the schemas: migrations, and rebuilds of the views."""
    SINK = "ecommerce_sink"
    """Writes the views."""
    API = "ecommerce_api"
    """Reads the views, writes accounts and their outbox."""
    OUTBOX = "ecommerce_outbox"
    """Takes rows from the outbox."""
    READER = "ecommerce_reader"
    """Reads the views and changes nothing: doctor, demo, verify."""


def _made() -> str:
    return secrets.token_urlsafe(_BYTES)


def _made_for_roles() -> dict[str, str]:
    return {role.value: _made() for role in Role}


class Credentials(msgspec.Struct, frozen=True):
    """What the platform's processes log in with."""

    kafka: str = msgspec.field(default_factory=_made)
    redis: str = msgspec.field(default_factory=_made)
    payment_provider: str = msgspec.field(default_factory=_made)
    postgres: dict[str, str] = msgspec.field(default_factory=_made_for_roles)

    def __repr__(self) -> str:
        """Tell nothing."""
        return "Credentials(...)"


class AdminCredentials(msgspec.Struct, frozen=True):
    """What may do anything to a server: never given to a process that serves."""

    postgres: str = msgspec.field(default_factory=_made)
    redis: str = msgspec.field(default_factory=_made)
    kafka: str = msgspec.field(default_factory=_made)

    def __repr__(self) -> str:
        """Tell nothing."""
        return "AdminCredentials(...)"


_Kind = TypeVar("_Kind", Credentials, AdminCredentials)


def make(file: Path) -> tuple[Credentials, AdminCredentials]:
    """Return the credentials of a file and of the admin's beside it; what is missing is made and written.

    Raises CredentialsError where a file is there and cannot be read.
    """
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    made = _make(file, Credentials), _make(file.with_name(ADMIN_FILE), AdminCredentials)
    _read.cache_clear()
    return made


def read(file: Path) -> Credentials | None:
    """Return the credentials in a file, None where there is none; raises CredentialsError as `make` does."""
    return _read(file.absolute())


@lru_cache(maxsize=8)
def _read(file: Path) -> Credentials | None:
    return _decoded(file, Credentials)


def _make(file: Path, kind: type[_Kind]) -> _Kind:
    made = _decoded(file, kind) or kind()
    text = msgspec.json.format(msgspec.json.encode(made), indent=1)
    if not file.exists() or file.read_bytes() != text:
        # Whole or not at all: a start that is killed leaves no file that nobody can read.
        draft = file.with_name(f"{file.name}.new")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as handle:
            handle.write(text)
        draft.replace(file)
    file.chmod(0o600)
    return made


def _decoded(file: Path, kind: type[_Kind]) -> _Kind | None:
    try:
        found = msgspec.json.decode(file.read_bytes(), type=kind)
    except FileNotFoundError:
        return None
    except PermissionError as error:
        raise CredentialsError(f"{file}: belongs to another user, as the platform does") from error
    except msgspec.DecodeError as error:
        raise CredentialsError(f"{file}: holds no credentials ({error})") from error
    if isinstance(found, Credentials):
        # Of a version that knew fewer roles.
        found.postgres.update({role.value: _made() for role in Role if role.value not in found.postgres})
    return found
