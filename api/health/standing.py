"""Following in the background whether readers move: the dataflow, and those behind the views."""

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager

import structlog

from topics.lag import lag
from topics.settings import Settings
from topics.standing import StandingStill

EVERY_S = 5.0
_ANSWER_S = 5.0

_log = structlog.get_logger()


@asynccontextmanager
async def watching_readers(
    standing: StandingStill,
    settings: Settings,
    groups: Collection[str],
    reads: Mapping[str, Collection[str]],
    every_s: float = EVERY_S,
) -> AsyncIterator[None]:
    """Tell `standing` where the groups stand, every `every_s` seconds, while the block runs.

    `reads` are topics that a group is known to read: one that was made anew counts though no member has it.
    """
    task = asyncio.create_task(_follow(standing, settings, groups, reads, every_s), name="standing")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _follow(
    standing: StandingStill,
    settings: Settings,
    groups: Collection[str],
    reads: Mapping[str, Collection[str]],
    every_s: float,
) -> None:
    known = {group: topics for group, topics in reads.items() if group in groups}
    while True:
        try:
            found = await asyncio.to_thread(
                lag, settings, list(groups), reads=known, seconds=False, timeout_s=_ANSWER_S
            )
        except Exception as error:  # noqa: BLE001 -- confluent_kafka's share no base; a look must not end this
            _log.info("standing_not_seen", error=repr(error))
        else:
            standing.look(time.monotonic(), found)
        await asyncio.sleep(every_s)
