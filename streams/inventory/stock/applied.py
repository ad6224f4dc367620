"""Receipts and adjustments that a SKU has answered: each id stands for one movement, however often it comes.

An entry is a text, so that the ring stays as small as it was. What is older than these entries names the
movement alone.
"""

from typing import NamedTuple

from schemas.inventory import Movement

_SEPARATOR = "\x1f"
_COMMAND_DIGITS = 12
_PARTS = 4


class Answered(NamedTuple):
    """A movement's id, and how it was answered: `reason` is empty where it was applied.

    `quantity` is None, and `command` empty, where only the id is remembered.
    """

    identity: str
    quantity: int | None = None
    command: str = ""
    reason: str = ""


def identity(movement: Movement) -> str:
    """Return what stands for the movement: receipts and adjustments have ids of their own."""
    return f"{movement.kind}:{movement.reference}"


def digits(event_id: str) -> str:
    """Return enough of a command's id to know it again among a SKU's latest."""
    return event_id[-_COMMAND_DIGITS:]


def entry(movement: Movement, event_id: str, reason: str = "") -> str:
    """Return what to remember of an answered movement."""
    return _SEPARATOR.join((identity(movement), str(movement.quantity), digits(event_id), reason))


def answered(applied: tuple[str, ...], movement: Movement) -> Answered | None:
    """Return how the id was answered before, or None where it is new."""
    wanted = identity(movement)
    for text in applied:
        before = _read(text)
        if before.identity == wanted:
            return before
    return None


def _read(text: str) -> Answered:
    parts = text.rsplit(_SEPARATOR, _PARTS - 1)
    if len(parts) < _PARTS:
        return Answered(text)
    return Answered(parts[0], int(parts[1]), parts[2], parts[3])
