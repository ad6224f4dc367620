"""A record of a topic as the broker has it."""

from dataclasses import dataclass, replace

Headers = tuple[tuple[str, bytes | None], ...]


@dataclass(frozen=True, slots=True)
class Record:
    """Key, value and headers as bytes; `timestamp` in ms since the epoch. A tombstone's value is None."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()

    @property
    def position(self) -> str:
        """Return `topic/partition/offset`, which names the record for ever."""
        return f"{self.topic}/{self.partition}/{self.offset}"

    @property
    def key_text(self) -> str | None:
        """Return the key for people: ids are UTF-8, anything else is shown escaped."""
        return None if self.key is None else self.key.decode("utf-8", "backslashreplace")

    def header(self, name: str) -> str | None:
        """Return the last header of that name as text, or None."""
        for header, value in reversed(self.headers):
            if header == name and value is not None:
                return value.decode("utf-8", "replace")
        return None

    def with_headers(self, headers: Headers) -> "Record":
        """Return the record with other headers."""
        return replace(self, headers=headers)
