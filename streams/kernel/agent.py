"""A flow's Faust agent: hands what it is given to the lane of its partition."""

from collections.abc import Awaitable, Callable
from typing import Any

import faust
import structlog

from streams.kernel.ownership import Ownership

log = structlog.get_logger(__name__)

# A few batches: one in flight, the rest to follow it at once.
BACKLOG_LIMIT = 4_000

Agent = Callable[[faust.StreamT[Any]], Awaitable[None]]


def flow_agent(flow: str, ownership: Ownership) -> Agent:
    """Return the agent of `flow`: its events are whole fetches of one topic partition (see `faust_mends`)."""

    async def agent(stream: faust.StreamT[Any]) -> None:
        async for event in stream.events():
            lane = ownership.lane(flow, event.message.partition)
            if lane is None:
                # Revoked meanwhile: it is not applied, so not committed, and the next owner reads it.
                log.info("records of a partition that is not owned", flow=flow, count=len(event.value))
                continue
            lane.put(event.value)
            await lane.drained_below(BACKLOG_LIMIT)

    return agent
