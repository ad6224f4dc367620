"""Making consumers of Kafka: the one place, and the kinds that there are.

`member` and `member_async` read as one of a group, which shares the partitions and commits. `reader` and
`reader_async` read given partitions from given positions, without a group and without commits; they are also
who asks where partitions begin and end, without reading.

The plain ones are librdkafka's: they fetch beside the interpreter, and block who asks. The others are
aiokafka's, of the loop they are made in. What none of them does: commit by itself, write to the log of a
broker that is away (`on_error` is told), or fail at a header's name that is no UTF-8.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

from aiokafka import AIOKafkaConsumer
from confluent_kafka import Consumer, KafkaError

from topics.connection import KafkaOptions, aiokafka_options, librdkafka_options
from topics.header_names import read_any_header_name
from topics.settings import Settings

SESSION_TIMEOUT_MS: Final = 10_000
"""How long a member that was killed keeps its partitions (the clients' default is 45 s and 10 s)."""

NO_GROUP: Final = "ecommerce.reader."
"""Begins the name under which librdkafka's readers come, since it wants a group's: no such group is made."""

Beyond = Literal["earliest", "latest", "none"]
"""Where to go on where a position is not in its partition (any more); `none`: raise instead."""

Tell = Callable[[KafkaError], None]


def member(
    settings: Settings, group: str, client_id: str, *, on_error: Tell, tuning: Mapping[str, Any]
) -> Consumer:
    """Return a member of a group whose rebalances move only partitions that change hands.

    It begins at the first record where the group committed nothing. `tuning` are librdkafka's options of how
    it fetches and keeps its membership.
    """
    return _librdkafka(
        settings,
        {
            "group.id": group,
            "client.id": client_id,
            "partition.assignment.strategy": "cooperative-sticky",
            "session.timeout.ms": SESSION_TIMEOUT_MS,
            "auto.offset.reset": "earliest",
            "error_cb": on_error,
        },
        tuning,
    )


def reader(
    settings: Settings,
    client_id: str,
    *,
    on_error: Tell | None = None,
    beyond: Beyond = "earliest",
    ends: bool = False,
    tuning: Mapping[str, Any] | None = None,
) -> Consumer:
    """Return a reader of what is assigned to it; with `ends`, it tells where a partition has been read whole.

    Assign once: what librdkafka (2.16) is given again it may never fetch. Who is done with some of it takes
    that away, and who wants other positions makes another reader.
    """
    return _librdkafka(
        settings,
        {
            "group.id": NO_GROUP + client_id,
            "client.id": client_id,
            "auto.offset.reset": "error" if beyond == "none" else beyond,
            "enable.partition.eof": ends,
            **({"error_cb": on_error} if on_error is not None else {}),
        },
        tuning or {},
    )


def member_async(
    settings: Settings, group: str, client_id: str, *, tuning: Mapping[str, Any]
) -> AIOKafkaConsumer:
    """Return a member of a group, not started; it begins at the first record where nothing was committed.

    `tuning` are aiokafka's options of how it fetches.
    """
    return _aiokafka(
        settings,
        {
            "group_id": group,
            "client_id": client_id,
            "auto_offset_reset": "earliest",
            "session_timeout_ms": SESSION_TIMEOUT_MS,
            "heartbeat_interval_ms": 3_000,
        },
        tuning,
    )


def reader_async(
    settings: Settings,
    client_id: str,
    *topics: str,
    beyond: Beyond = "earliest",
    tuning: Mapping[str, Any] | None = None,
) -> AIOKafkaConsumer:
    """Return a reader, not started, of what is assigned to it, or of all partitions of `topics`."""
    options = {"group_id": None, "client_id": client_id, "auto_offset_reset": beyond}
    return _aiokafka(settings, options, tuning or {}, *topics)


def _librdkafka(settings: Settings, options: KafkaOptions, tuning: Mapping[str, Any]) -> Consumer:
    always = {"enable.auto.commit": False, "enable.auto.offset.store": False, "log_level": 0}
    return Consumer(_joined(librdkafka_options(settings), always, options, tuning))


def _aiokafka(
    settings: Settings, options: KafkaOptions, tuning: Mapping[str, Any], *topics: str
) -> AIOKafkaConsumer:
    read_any_header_name()
    always = {"enable_auto_commit": False}
    return AIOKafkaConsumer(*topics, **_joined(aiokafka_options(settings), always, options, tuning))


def _joined(*parts: Mapping[str, Any]) -> KafkaOptions:
    """Return all options. Raises ValueError where one is given twice: what a kind fixes is not for tuning."""
    joined: KafkaOptions = {}
    for part in parts:
        if twice := joined.keys() & part.keys():
            raise ValueError(f"given twice: {', '.join(sorted(twice))}")
        joined |= part
    return joined
