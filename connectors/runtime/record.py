"""A consumed record, as the broker had it."""

import msgspec


# A struct of C, as one is made for every record that is read.
class Record(msgspec.Struct, frozen=True, gc=False):
    """One record of a topic. `timestamp` is in milliseconds since the epoch."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()

    @property
    def own_headers(self) -> dict[str, str]:
        """Return the headers as text; bytes that are not UTF-8 are replaced, the last of a name wins.

        A header that has no value is empty text.
        """
        return {name: (value or b"").decode(errors="replace") for name, value in self.headers}
