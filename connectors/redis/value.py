"""What a Redis sink writes."""

from typing import NamedTuple


class Value(NamedTuple):
    """A value of a key: JSON text of an object that has its own `version` in it."""

    key: str
    version: int
    json: str
