"""Looking at the pipeline in the background: the groups' lag at the broker, and how this process does."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import structlog

from api.admission.backlog import Backlog
from api.admission.gate import Gate
from topics.lag import PartitionLag, lag
from topics.settings import Settings

_TICK_S = 0.1
_TICKS = 10
_BLIND_S = 10.0
_ANSWER_S = 3.0
"""How long a request of a look may take: a gate that waits longer is shut on what was true before."""

_log = structlog.get_logger()

Look = Callable[[Settings, Sequence[str]], list[PartitionLag]]


def _positions(settings: Settings, groups: Sequence[str]) -> list[PartitionLag]:
    return lag(settings, list(groups), seconds=False, timeout_s=_ANSWER_S)


@asynccontextmanager
async def watching(
    gate: Gate,
    settings: Settings,
    groups: Sequence[str],
    every_s: float,
    look: Look = _positions,
) -> AsyncIterator[None]:
    """Keep the gate informed while the block runs."""
    tasks = [
        asyncio.create_task(_backlog(gate, settings, groups, every_s, look), name="admission-backlog"),
        asyncio.create_task(_process(gate), name="admission-process"),
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _backlog(gate: Gate, settings: Settings, groups: Sequence[str], every_s: float, look: Look) -> None:
    backlog = Backlog()
    seen_at = time.monotonic()
    while True:
        try:
            partitions = await asyncio.to_thread(look, settings, groups)
        except Exception as error:  # noqa: BLE001 -- confluent_kafka's share no base; a look must not end this
            if time.monotonic() - seen_at > _BLIND_S:
                # What the broker cannot tell, sending to it will.
                backlog.forget()
            _log.info("backlog_not_seen", error=repr(error))
        else:
            seen_at = time.monotonic()
            backlog.look(seen_at, partitions)
        gate.see(backlog_records=backlog.records, backlog_seconds=backlog.seconds)
        await asyncio.sleep(every_s)


async def _process(gate: Gate) -> None:
    """Look at what is in hand, and how late a timer is."""
    late = [0.0] * _TICKS
    while True:
        began = time.perf_counter()
        await asyncio.sleep(_TICK_S)
        late = [*late[1:], max(0.0, time.perf_counter() - began - _TICK_S)]
        # A single late tick is a hiccup; the second longest says that it goes on.
        gate.look(sorted(late)[-2])
