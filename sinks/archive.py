"""What the archive keeps, and its process: every topic but the changelogs, which follow from the others."""

import asyncio
import os
import signal
import socket
from collections.abc import Sequence

import structlog

from connectors.archive.sink import ArchiveSink
from connectors.health.responder import PingResponder
from connectors.runtime.connector import SinkConnector
from connectors.runtime.dead_letters import DeadLetterTopic
from connectors.runtime.process import run_with_metrics
from connectors.runtime.projection import AnyProjection, RawProjection
from connectors.runtime.record import Record
from connectors.runtime.sizing import Limits
from schemas.envelope import derived_id
from topics.producer import MessageProducer
from topics.registry import DEAD_LETTERS, TOPICS
from topics.settings import PortOffset, Settings
from topics.skips import NONE, Skips, SkipsFollower
from topics.topic import RawTopic

log = structlog.get_logger(__name__)

NAME = "archive"
GROUP = "ecommerce.sink.archive"

_RECORDS = 50_000
_BYTES = 64 * 1024 * 1024
_WRITE_S = 10.0


def _kept(record: Record) -> tuple[Record, ...]:
    return (record,)


PROJECTIONS: Sequence[AnyProjection[Record]] = tuple(
    RawProjection(RawTopic(name), _kept, (NAME,))
    for name in (*TOPICS, *(letters.name for letters in DEAD_LETTERS.values()))
)


def group_of(url: str) -> str:
    """Return the consumer group of the archive at `url`: another place is another archive, from the start."""
    return f"{GROUP}.{derived_id(NAME, url)[:8]}"


def connector(
    settings: Settings, url: str, producer: MessageProducer, skips: Skips = NONE
) -> SinkConnector[Record]:
    """Return the connector that feeds the archive at `url`."""
    group = group_of(url)
    limits = Limits(records=_RECORDS, size=_BYTES, write_s=_WRITE_S, linger_s=settings.archive_seconds)
    return SinkConnector(
        NAME,
        PROJECTIONS,
        ArchiveSink(url),
        DeadLetterTopic(producer, NAME, group),
        settings,
        group=group,
        limits=limits,
        skips=skips,
    )


def run(settings: Settings, url: str) -> None:
    """Keep the archive until SIGTERM or SIGINT, with its metrics over HTTP."""
    run_with_metrics(settings, PortOffset.ARCHIVE_METRICS, _until_signalled(settings, url))


async def _until_signalled(settings: Settings, url: str) -> None:
    async with MessageProducer(settings, NAME) as producer, SkipsFollower(settings) as skipping:
        keeping = connector(settings, url, producer, skipping.skips)
        loop = asyncio.get_running_loop()
        for each in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(each, keeping.stop)
        instance = f"{socket.gethostname()}-{os.getpid()}"
        async with PingResponder(
            settings,
            NAME,
            instance,
            healthy=lambda: keeping.healthy,
            details=lambda: {NAME: "up" if keeping.healthy else f"away, attempt {keeping.attempts}"},
        ):
            await keeping.run()
    log.info("archive.stopped")
