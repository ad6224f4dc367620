"""What a view holds of one key, as a digest that is the same however a server writes its values. Pure."""

import hashlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

SIZE = 16
"""Bytes of a digest."""

_encode = msgspec.json.Encoder(order="deterministic").encode
_SEPARATOR = "\x1f"


class Told(msgspec.Struct, array_like=True, frozen=True):
    """What is said of a key: the digest, of which version, from how many rows.

    With no rows it says that the key is gone. `sources` is where the records lie that said it, `at` when the
    newest of them was written (ms).
    """

    digest: bytes
    rows: int = 1
    version: int = 0
    sources: tuple[tuple[str, int, int], ...] = ()
    at: int = 0


class Held(NamedTuple):
    """A key, the digest of what is held of it, and how many rows, documents or values that is."""

    key: str
    digest: bytes
    rows: int = 1

    def told(self) -> Told:
        """Return it as what is said of the key."""
        return Told(self.digest, self.rows)


def digest(values: Any) -> bytes:
    """Return the digest of what JSON can say, and of times and ids; an object's order does not matter."""
    return hashlib.blake2b(_encode(values), digest_size=SIZE).digest()


def together(digests: Sequence[bytes]) -> bytes:
    """Return the digest of rows that belong to one key, whatever their order."""
    return hashlib.blake2b(b"".join(sorted(digests)), digest_size=SIZE).digest()


def parsed(text: str | bytes | None) -> Any:
    """Return what a JSON text says, or the text itself where it is none."""
    if text is None:
        return None
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return text.hex() if isinstance(text, bytes) else text


def key_text(columns: Sequence[Any]) -> str:
    """Return a key of one or several columns as one text."""
    return _SEPARATOR.join(map(str, columns))


def first_of(key: str) -> str:
    """Return the first column of such a text."""
    return key.partition(_SEPARATOR)[0]


def shown(key: str) -> str:
    """Return such a text for people."""
    return key.replace(_SEPARATOR, " ")
