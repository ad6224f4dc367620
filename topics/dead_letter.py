"""The headers of a dead letter: why a record could not be handled, and where it lay.

The letter's key and value are the record's own bytes, so that it can be sent again as it was; the record's
own headers stay beside these. `id` is deterministic: the same record refused twice is one dead letter.
"""

import traceback
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import NamedTuple

from schemas.envelope import derived_id

ID = "id"
REASON = "reason"
"""A short word to count by: undecodable, invalid, handler_failed, ..."""
ERROR = "error"
"""What went wrong, for people: one line that names field and rule."""
STACK = "stack"
ATTEMPT = "attempt"
"""How often it was tried, from 1."""
CONSUMER = "consumer"
"""The consumer group that could not handle it."""
SOURCE_TOPIC = "source_topic"
SOURCE_PARTITION = "source_partition"
SOURCE_OFFSET = "source_offset"
TARGET = "target"
"""The view that did not take it, where a sink refused it."""
CODE = "code"
"""The target's own word for the error: an SQLSTATE, a type of Elasticsearch's."""
FAILED_AT = "failed_at"
"""Milliseconds since the epoch."""

VALUE_OMITTED = "value_omitted"
"""Of a record that was too large to be kept: the whole value's size in bytes. It has its beginning."""
VALUE_DIGEST = "value_sha256"
KEY_OMITTED = "key_omitted"
"""Of a key that was too large to be kept: the whole key's size in bytes. The letter has its beginning."""
KEY_DIGEST = "key_sha256"
HEADERS_OMITTED = "headers_omitted"
"""How many of the record's own headers were too large to be kept, or were none."""

MAX_BYTES = 900_000
"""What a letter comes to at the most: every producer here and every broker takes that."""
MAX_OWN_HEADERS = 64 * 1024
MAX_KEY = 16 * 1024
KEPT = 64 * 1024
"""How much stays of a value that is cut, in bytes; of a key, a sixty-fourth of it."""

_MAX_ERROR = 2_000
_MAX_STACK = 8_000
_NOT_OWN = frozenset(
    {TARGET, CODE, STACK, VALUE_OMITTED, VALUE_DIGEST, KEY_OMITTED, KEY_DIGEST, HEADERS_OMITTED}
)

Headers = tuple[tuple[str, bytes | None], ...]


class Sealed(NamedTuple):
    """A letter's record: what fits of the original, and headers that say the rest."""

    key: bytes | None
    value: bytes | None
    headers: Headers


def sealed(
    key: bytes | None,
    value: bytes | None,
    own: Iterable[tuple[str, bytes | None]] | None,
    told: Mapping[str, str],
) -> Sealed:
    """Return a letter that fits into `MAX_BYTES`, whatever the record holds: raises nothing.

    What is too large is cut, and its length and digest stay: with the source's position they name the bytes.
    `own` are the record's headers, `told` the letter's.
    """
    facts = dict(told)
    kept = _own(own, facts)
    if key is not None and len(key) > MAX_KEY:
        facts |= {KEY_OMITTED: str(len(key)), KEY_DIGEST: sha256(key).hexdigest()}
        key = key[: KEPT // 64]
    said = [(name, clean(text).encode()) for name, text in facts.items()]
    taken = len(key or b"") + sum(len(name) + len(text) for name, text in said) + MAX_OWN_HEADERS
    if value is not None and taken + len(value) > MAX_BYTES:
        said += [
            (VALUE_OMITTED, str(len(value)).encode()),
            (VALUE_DIGEST, sha256(value).hexdigest().encode()),
        ]
        value = value[:KEPT]
    # A client sends no record without both.
    return Sealed(key, b"" if key is None and value is None else value, (*kept, *said))


def _own(own: Iterable[tuple[str, bytes | None]] | None, facts: dict[str, str]) -> Headers:
    """Return the record's own headers as far as there is room, and note in `facts` how many are left out."""
    room = MAX_OWN_HEADERS
    kept: list[tuple[str, bytes | None]] = []
    omitted = 0
    for name, value in own or ():
        if name in facts or name in _NOT_OWN:
            continue
        size = 4 * len(name) + len(value or b"") + _FRAMING
        if size > room:
            omitted += 1
            continue
        room -= size
        kept.append((clean(name), value))
    if omitted:
        facts[HEADERS_OMITTED] = str(omitted)
    return tuple(kept)


_FRAMING = 16


def clean(text: str) -> str:
    """Return the text as UTF-8 can have it: half a surrogate pair is shown escaped."""
    return text.encode("utf-8", "backslashreplace").decode()


def attempts_before(own: Iterable[tuple[str, bytes | None]] | None) -> int:
    """Return how often a redriven record was tried before: the redrive counts the coming attempt already."""
    said = next((value for name, value in own or () if name == ATTEMPT), None)
    return max(int(said) - 1, 0) if said is not None and said.isdigit() and len(said) < _DIGITS else 0


_DIGITS = 10


def letter_headers(
    *,
    consumer: str,
    topic: str,
    partition: int,
    offset: int,
    reason: str,
    failed_at: int,
    error: BaseException | str | None = None,
    attempt: int = 1,
) -> dict[str, str]:
    """Return the headers of the dead letter for the record at `topic`, `partition`, `offset`.

    An exception gives its message and its stack, both cut to a length that a broker takes.
    """
    headers = {
        ID: derived_id("dead-letter", consumer, topic, str(partition), str(offset)),
        CONSUMER: consumer,
        SOURCE_TOPIC: topic,
        SOURCE_PARTITION: str(partition),
        SOURCE_OFFSET: str(offset),
        REASON: reason,
        ATTEMPT: str(attempt),
        FAILED_AT: str(failed_at),
    }
    if error is not None:
        headers[ERROR] = said(error)[:_MAX_ERROR]
    if isinstance(error, BaseException):
        headers[STACK] = _stack(error)[-_MAX_STACK:]
    return headers


def said(error: BaseException | str) -> str:
    """Return what an error says; its name where it cannot even say that."""
    try:
        return clean(str(error))
    except Exception:  # noqa: BLE001 # an error's text is foreign code, too
        return type(error).__name__


def _stack(error: BaseException) -> str:
    try:
        return clean("".join(traceback.format_exception(error)))
    except Exception:  # noqa: BLE001 # the same
        return ""
