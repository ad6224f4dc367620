"""The table of everything that runs: the servers, the tasks of a start, the platform's own processes."""

import os
import sys
from dataclasses import replace
from pathlib import Path

import httpx
from pydantic import SecretStr

from deploy.embedded.elasticsearch import external
from deploy.embedded.kafka import kafka
from deploy.embedded.postgres import postgres
from deploy.embedded.redis import redis
from deploy.embedded.sockets import connects
from deploy.processes.leftovers import MARK
from deploy.processes.process import External, NotReadyError, Process, Step, Task
from topics.redaction import shown
from topics.settings import PortOffset, Settings, is_loopback

DEFAULT_WORKERS = 1
API = "API and shop"
"""What the API's process is called."""
# What writes views gives way to what decides: on a machine that is full it then writes larger batches, each
# row for less, and checkouts end sooner.
_BESIDES = 5
SERVERS = frozenset({"kafka", "postgres", "redis"})


def servers(settings: Settings) -> tuple[Process | External, ...]:
    """Return the servers under the platform, embedded or external."""
    return (kafka(settings), postgres(settings), redis(settings))


def platform(settings: Settings, workers: int = DEFAULT_WORKERS) -> dict[str, Step]:
    """Return every step of a start by name; the order is that of `after`, not of the table."""
    steps = {}
    for step in _steps(settings, workers):
        if isinstance(step, Process):
            marked = {**step.environment, **variables(settings), MARK: step.name}
            step = replace(step, environment=marked)  # noqa: PLW2901 -- the marked one takes its place
        steps[step.name] = step
    return steps


def variables(settings: Settings) -> dict[str, str]:
    """Return the environment that gives a child process these settings, and other rooms' as they are here."""
    ours = {f"ECOMMERCE_{field.upper()}" for field in Settings.model_fields}
    others = {n: value for n, value in os.environ.items() if n.startswith("ECOMMERCE_") and n not in ours}
    absolute = settings.model_copy(
        update={
            "data_dir": settings.data_dir.absolute(),
            "credentials": settings.credentials_file.absolute(),
            "archive": settings.archive_url,
            "kafka_ca_file": settings.kafka_ca_file and settings.kafka_ca_file.absolute(),
        }
    )
    values = {
        field: value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        for field, value in absolute
        if value is not None
    }
    return {**others, **{f"ECOMMERCE_{field.upper()}": value for field, value in values.items()}}


def _steps(settings: Settings, workers: int) -> tuple[Step, ...]:
    return (
        *servers(settings),
        *_search(settings),
        Task(name="topics", title="Topics", command=_program("topics", "create"), after=("kafka",)),
        Task(name="views", title="Views' schema", command=_program("migrate"), after=("postgres",)),
        _provider(settings),
        *(_worker(settings, index) for index in range(workers)),
        _sinks(settings),
        _connector(settings, "outbox", "Outbox source", PortOffset.OUTBOX_METRICS, ("topics", "views")),
        *_archive(settings),
        Process(
            name="gateway",
            title="Payment gateway",
            command=_program("payment-gateway"),
            after=("topics", "provider"),
        ),
        Process(
            name="api",
            title=API,
            command=_program("api"),
            environment=_open_ops(settings),
            ready=lambda: _answers(f"{settings.api_url}/health/live"),
            address=settings.api_url,
            host=settings.host,
            ports=(settings.port(PortOffset.API),),
            after=("topics", "views", "redis"),
        ),
    )


def _search(settings: Settings) -> tuple[External, ...]:
    if not settings.elasticsearch:
        return ()
    return (external(settings.elasticsearch),)


def _archive(settings: Settings) -> tuple[Process, ...]:
    if settings.archive_url is None:
        return ()
    archive = _connector(settings, "archive", "Archive", PortOffset.ARCHIVE_METRICS, ("topics",))
    return (replace(archive, address=shown(settings.archive_url), niceness=_BESIDES),)


def _sinks(settings: Settings) -> Process:
    after = ("topics", "views", "redis", *(step.name for step in _search(settings)))
    sinks = _connector(settings, "sink", "Sinks", PortOffset.SINK_METRICS, after)
    return replace(sinks, niceness=_BESIDES)


def _connector(
    settings: Settings, name: str, title: str, offset: PortOffset, after: tuple[str, ...]
) -> Process:
    """Return a process that is named as its command is, and ready when its metrics are."""
    port = settings.port(offset)
    return Process(
        name=name,
        title=title,
        command=_program(name),
        ready=lambda: _answers(settings.own_url(port, "/metrics")),
        host=settings.host,
        ports=(port,),
        after=after,
    )


def _provider(settings: Settings) -> Process | External:
    url = settings.payment_provider_url
    if settings.payment_provider:
        return External(
            name="provider",
            title="Payment provider",
            address=shown(url),
            ready=lambda: _listens(url),
            setting="ECOMMERCE_PAYMENT_PROVIDER",
        )
    return Process(
        name="provider",
        title="Payment provider",
        command=_program("provider"),
        ready=lambda: _answers(f"{url}/health/live"),
        address=url,
        host=settings.host,
        ports=(settings.port(PortOffset.PAYMENT_PROVIDER),),
    )


def _worker(settings: Settings, index: int) -> Process:
    port = settings.port(PortOffset.WORKER_METRICS, index)
    return Process(
        name=f"worker-{index}",
        title=f"Worker {index}",
        command=_program("worker", "--index", str(index)),
        ready=lambda: _answers(settings.own_url(port, "/metrics")),
        ports=(port,),
        host=settings.host,
        after=("topics",),
        # It ends its batch, gives its partitions back and closes its tables.
        stop_seconds=30,
    )


def _open_ops(settings: Settings) -> dict[str, str]:
    """Show ops pages without a login on a platform that only this machine can reach."""
    return {"ECOMMERCE_API_OPEN_OPS": "true"} if is_loopback(settings.host) else {}


def _program(*arguments: str) -> tuple[str, ...]:
    return (str(Path(sys.executable).with_name("ecommerce")), *arguments)


def _listens(url: str) -> None:
    parsed = httpx.URL(url)
    connects(parsed.host, parsed.port or (443 if parsed.scheme == "https" else 80))


def _answers(url: str) -> None:
    try:
        httpx.get(url, timeout=5).raise_for_status()
    except httpx.HTTPError as error:
        raise NotReadyError(f"no answer from {shown(url)}: {error}") from error
