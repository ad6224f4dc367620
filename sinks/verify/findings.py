"""What a comparison of views came to. Counts are of keys, sums of rows."""

from collections.abc import Iterable, Mapping

import msgspec
from aiokafka import TopicPartition

from sinks.verify.comparison import Difference, Look
from sinks.verify.held import shown


class Part(msgspec.Struct, frozen=True):
    """A table, index or kind of keys: rows and checksums of what is expected and what is held."""

    name: str
    expected: int
    held: int
    expected_checksum: str
    held_checksum: str


class Found(msgspec.Struct, frozen=True):
    """A key in which a view differs."""

    view: str
    key: str
    kind: str


class Findings(msgspec.Struct, frozen=True):
    """Of the views `name`: what differs, and what is not yet or no more to be compared.

    - `more`: differences beyond those that are named.
    - `behind`: keys that the live sink has yet to write, being `lag` records behind.
    - `refused`: keys whose newest record is a dead letter.
    - `expired`: keys that were due to expire.
    - `moving`: keys that changed each time they were looked at.
    - `removed`: partitions whose beginning neither the topic nor the archive has.
    """

    name: str
    records: int
    parts: tuple[Part, ...]
    differences: tuple[Found, ...] = ()
    more: int = 0
    behind: int = 0
    lag: int = 0
    refused: int = 0
    expired: int = 0
    moving: int = 0
    removed: tuple[str, ...] = ()

    @property
    def equal(self) -> bool:
        """Tell whether nothing differs."""
        return not self.differences and not self.more


def parts_of(look: Look) -> tuple[Part, ...]:
    """Return what the look summed up."""
    return tuple(
        Part(
            name,
            said.rows,
            look.held[name].rows,
            f"{said.checksum:016x}",
            f"{look.held[name].checksum:016x}",
        )
        for name, said in look.expected.items()
    )


def gaps(removed: Mapping[TopicPartition, int]) -> tuple[str, ...]:
    """Return partitions, with their first offsets, as they are told."""
    return tuple(f"{place.topic}/{place.partition} before {start}" for place, start in removed.items())


def found(differences: Iterable[Difference]) -> tuple[Found, ...]:
    """Return differences as they are told."""
    return tuple(Found(each.part, shown(each.key), each.kind.value) for each in differences)
