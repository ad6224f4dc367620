"""What the topics say, or a view holds, by key: on disk, so that its size is no question of memory."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Self

import msgspec
from rocksdict import AccessType, Options, Rdict, WriteBatch

from sinks.verify.held import Told

_HELD, _SEEN = b"h", b"s"
_END = b"\x00"


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Told).decode


class Spool:
    """A temporary store of `Told` by part (a table, an index, a kind of keys) and key; a context manager."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="ecommerce-verify-"))
        options = Options(raw_mode=True)
        self._store = Rdict(str(self._folder), options, access_type=AccessType.read_write())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._store.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def get(self, part: str, key: str) -> Told | None:
        """Return what is said of a key."""
        found: bytes | None = self._store.get(_name(_HELD, part, key))
        return None if found is None else _decode(found)

    def write(self, told: Mapping[tuple[str, str], Told | None]) -> None:
        """Note what is said of (part, key) pairs; None forgets it."""
        batch = WriteBatch(raw_mode=True)
        for (part, key), each in told.items():
            if each is None:
                batch.delete(_name(_HELD, part, key))
            else:
                batch.put(_name(_HELD, part, key), _encode(each))
        self._store.write(batch)

    def see(self, part: str, keys: list[str]) -> None:
        """Mark keys as seen."""
        batch = WriteBatch(raw_mode=True)
        for key in keys:
            batch.put(_name(_SEEN, part, key), b"")
        self._store.write(batch)

    def items(self, part: str) -> Iterator[tuple[str, Told]]:
        """Yield every key of a part, in one order."""
        prefix = _name(_HELD, part, "")
        entries: Iterator[tuple[bytes, bytes]] = self._store.items(from_key=prefix)  # type: ignore[assignment] # raw mode
        for name, value in entries:
            if not name.startswith(prefix):
                return
            yield name[len(prefix) :].decode(), _decode(value)

    def seen(self, part: str, key: str) -> bool:
        """Tell whether a key was marked."""
        return self._store.get(_name(_SEEN, part, key)) is not None


def _name(kind: bytes, part: str, key: str) -> bytes:
    return kind + part.encode() + _END + key.encode()
