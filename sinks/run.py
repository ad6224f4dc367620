"""Runs the sinks: one process, one task and one consumer group per sink."""

import asyncio
import os
import signal
import socket
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import structlog

from connectors.elasticsearch.sink import ElasticsearchSink
from connectors.health.responder import PingResponder
from connectors.postgres.offsets import Offsets
from connectors.postgres.sink import PostgresSink
from connectors.redis.sink import RedisSink
from connectors.runtime.connector import SinkConnector
from connectors.runtime.dead_letters import DeadLetterTopic
from connectors.runtime.process import run_with_metrics
from sinks import elasticsearch, postgres, redis
from sinks.elasticsearch import declared
from sinks.postgres import TABLES
from topics.identity import topic_ids
from topics.producer import MessageProducer
from topics.settings import PortOffset, Settings
from topics.skips import NONE, Skips, SkipsFollower

log = structlog.get_logger(__name__)

_LONGEST_DETAIL = 200


def connectors(
    settings: Settings, producer: MessageProducer, skips: Skips = NONE
) -> list[SinkConnector[Any]]:
    """Return the connectors of the configured sinks; Elasticsearch's where its address is set."""
    built: list[SinkConnector[Any]] = [
        SinkConnector(
            "postgres",
            postgres.PROJECTIONS,
            PostgresSink(
                settings.postgres_dsn, TABLES, offsets=Offsets(postgres.GROUP, partial(topic_ids, settings))
            ),
            DeadLetterTopic(producer, "postgres", postgres.GROUP),
            settings,
            group=postgres.GROUP,
            skips=skips,
        ),
        SinkConnector(
            "redis",
            redis.PROJECTIONS,
            RedisSink(settings.redis_url, redis.TTL_S),
            DeadLetterTopic(producer, "redis", redis.GROUP),
            settings,
            group=redis.GROUP,
            skips=skips,
        ),
    ]
    if settings.elasticsearch:
        built.append(
            SinkConnector(
                "elasticsearch",
                elasticsearch.PROJECTIONS,
                ElasticsearchSink(settings.elasticsearch, declared(settings)),
                DeadLetterTopic(producer, "elasticsearch", elasticsearch.GROUP),
                settings,
                group=elasticsearch.GROUP,
                skips=skips,
            )
        )
    return built


async def run_sinks(settings: Settings, stop: asyncio.Event) -> None:
    """Run all sinks until `stop` is set; each then ends after the batch in hand.

    A sink that fails for good ends them all with its error: the supervisor starts them again.
    """
    async with MessageProducer(settings, "sink") as producer, SkipsFollower(settings) as skipping:
        running = connectors(settings, producer, skipping.skips)
        async with _responder(settings, running), asyncio.TaskGroup() as tasks:
            for connector in running:
                tasks.create_task(connector.run(), name=f"sink-{connector.name}")
            tasks.create_task(_stop_all(stop, running))


def _responder(settings: Settings, running: Sequence[SinkConnector[Any]]) -> PingResponder:
    return PingResponder(
        settings,
        "sink",
        f"{socket.gethostname()}-{os.getpid()}",
        healthy=lambda: all(connector.healthy for connector in running),
        details=lambda: {
            connector.name: (
                "up"
                if connector.healthy
                else f"away, attempt {connector.attempts}: {connector.last_error}"[:_LONGEST_DETAIL]
            )
            for connector in running
        },
    )


async def _stop_all(stop: asyncio.Event, running: Iterable[SinkConnector[Any]]) -> None:
    await stop.wait()
    for connector in running:
        connector.stop()


def run(settings: Settings) -> None:
    """Run the sinks until SIGTERM or SIGINT, with their metrics over HTTP."""
    run_with_metrics(settings, PortOffset.SINK_METRICS, _until_signalled(settings))


async def _until_signalled(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, stop.set)
    await run_sinks(settings, stop)
    log.info("sinks.stopped")
