"""What a topic is: its name, key, schema, and how the broker keeps it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

import msgspec

D = TypeVar("D", bound=msgspec.Struct)

DAY_MS = 86_400_000
WEEK = 7 * DAY_MS


class Kind(StrEnum):
    """What a record of the topic says."""

    COMMAND = "command"
    EVENT = "event"
    TIMER = "timer"
    HEALTH = "health"


class Cleanup(StrEnum):
    """The broker's cleanup policy."""

    DELETE = "delete"
    COMPACT = "compact"


@dataclass(frozen=True)
class Topic(Generic[D]):
    """A topic that carries `Message[data]` records in Avro, keyed by the id that `key` names.

    `retention_ms` is -1 where the topic is the source from which views are rebuilt. `partitions` is None for
    the platform's co-partitioned count. An `inner` command is given by flows only, to each other.
    """

    name: str
    data: type[D]
    key: str
    kind: Kind
    aggregate: str
    retention_ms: int = -1
    cleanup: Cleanup = Cleanup.DELETE
    partitions: int | None = None
    inner: bool = False

    @property
    def domain(self) -> str:
        """Return the domain: the second part of `ecommerce.{domain}.{action}`."""
        return self.name.split(".")[1]

    @property
    def dead_letters(self) -> "RawTopic":
        """Return the domain's dead-letter topic."""
        return dead_letters(self.domain)


@dataclass(frozen=True)
class RawTopic:
    """A topic whose values the registry does not type: dead letters (original bytes) and changelogs."""

    name: str
    retention_ms: int = -1
    cleanup: Cleanup = Cleanup.DELETE
    partitions: int | None = None
    max_message_bytes: int | None = None


def dead_letters(domain: str) -> RawTopic:
    """Return the dead-letter topic of a domain."""
    # Room for the largest record of any topic (1 MiB) and the headers that say what went wrong.
    return RawTopic(f"ecommerce.dlq.{domain}", partitions=1, max_message_bytes=2 * 1024 * 1024)


def changelog(table: str) -> RawTopic:
    """Return the changelog of a table: compacted, co-partitioned with the table's inputs.

    A micro-batch is one record batch and must fit into `max_message_bytes`, or it would not be atomic.
    """
    return RawTopic(
        f"ecommerce.changelog.{table}", cleanup=Cleanup.COMPACT, max_message_bytes=16 * 1024 * 1024
    )
