r"""Records that no sender of ours writes, and that anybody can: each consumer has to get past them.

`ODD` names them; `produced` sends them all, in one go, to one partition of a topic.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from aiokafka.client import AIOKafkaClient
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy
from aiokafka.structs import TopicPartition

from streams.kernel.appends import Appends
from topics.connection import aiokafka_options
from topics.settings import Settings

LARGEST = 1_040_000
"""Near the most that a broker takes of one record: what is added to it, it refuses."""


class Bytes(str):
    """A header's name of bytes that are not UTF-8."""

    __slots__ = ("bytes",)

    def __new__(cls, given: bytes) -> Self:
        made = super().__new__(cls, given.decode(errors="backslashreplace"))
        made.bytes = given  # type: ignore[attr-defined] # a slot
        return made

    def encode(self, *_: Any) -> bytes:
        """Return the bytes as they are."""
        return self.bytes  # type: ignore[attr-defined,no-any-return] # a slot


@dataclass(frozen=True)
class Odd:
    """A record: `good` keeps a sound message's key and value; else they are what is given."""

    good: bool = True
    key: bytes | None = b"odd"
    value: bytes | None = None
    headers: tuple[tuple[str, bytes | None], ...] = ()
    timestamp: int | None = None
    broken: Mapping[str, int] = field(default_factory=dict)

    def of(self, key: bytes, value: bytes) -> tuple[bytes | None, bytes | None]:
        """Return key and value, those of a sound message being given."""
        if self.good:
            cut = self.broken.get("cut")
            return key, value[:cut] + b"\x00" * self.broken.get("more", 0)
        return (key if self.key == b"odd" else self.key), self.value


ODD: dict[str, Odd] = {
    "header without a value": Odd(headers=(("traceparent", None), ("other", None))),
    "header without a name": Odd(headers=(("", b"x"),)),
    "header that is not UTF-8": Odd(headers=(("traceparent", b"\xff\xfe"), ("attempt", b"\xff"))),
    "header's name that is not UTF-8": Odd(headers=((Bytes(b"\xff\xfe"), b"x"),)),
    "header of 500 kB": Odd(headers=(("traceparent", b"x" * 500_000),)),
    "300 headers": Odd(headers=tuple((f"header-{number}", b"x" * 10) for number in range(300))),
    "the headers of a dead letter": Odd(
        headers=(("id", None), ("attempt", b"9" * 5_000), ("failed_at", b"9" * 30), ("source_offset", b"-1"))
    ),
    "no key": Odd(good=False, key=None, value=b"x"),
    "empty key": Odd(good=False, key=b"", value=b"x"),
    "key that is not UTF-8": Odd(good=False, key=b"\xff\xfe\x00", value=b"x"),
    "key of 900 kB": Odd(good=False, key=b"k" * 900_000, value=b"x"),
    "no value": Odd(good=False),
    "neither key nor value": Odd(good=False, key=None),
    "headers alone": Odd(good=False, key=None, headers=(("traceparent", None), ("a", b"b"))),
    "empty value": Odd(good=False, value=b""),
    "one byte": Odd(good=False, value=b"\x00"),
    "unknown schema": Odd(good=False, value=b"\x00\x00\x00\xff\xffxyz"),
    "truncated": Odd(broken={"cut": -3}),
    "bytes behind its end": Odd(broken={"more": 7}),
    "1.04 MB of junk": Odd(good=False, value=b"j" * LARGEST),
    "no time": Odd(timestamp=-1),
    "a time of 1970": Odd(timestamp=1),
    "a time ahead": Odd(timestamp=3_500_000),
}
"""`a time ahead` counts from now: the broker takes an hour of it."""


async def produced(
    settings: Settings, place: TopicPartition, records: Iterable[tuple[Odd, bytes, bytes]]
) -> int:
    """Send odd records, each with the key and value of a sound message; return the last one's offset.

    By hand, as no client sends such headers' names.
    """
    client = AIOKafkaClient(**aiokafka_options(settings))
    await client.bootstrap()
    try:
        client.add_topic(place.topic)
        await client.force_metadata_update()
        appends = Appends(client)
        offset = -1
        for odd, key, value in records:
            offset = await appends.append(place, _batch(odd, *odd.of(key, value)))
        return offset
    finally:
        await client.close()
        await asyncio.sleep(0)


def batch_builder(compression: int = 0) -> _DefaultRecordBatchBuilderPy:
    """Return a builder of record batches that takes whatever a header may hold."""
    return _DefaultRecordBatchBuilderPy(
        magic=2,
        compression_type=compression,
        is_transactional=0,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=2**31 - 1,
    )


def _batch(odd: Odd, key: bytes | None, value: bytes | None) -> bytes:
    builder = batch_builder()
    now = time.time_ns() // 1_000_000
    at = odd.timestamp
    timestamp = now if at is None else now + at if at > 1 else at
    builder.append(0, timestamp=timestamp, key=key, value=value, headers=list(odd.headers))
    return bytes(builder.build())
