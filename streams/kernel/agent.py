"""A flow's Faust agent: hands what it is given to the lane of its partition."""

from collections.abc import Awaitable, Callable
from typing import Any

import faust

from streams.kernel.ownership import Ownership

# A few batches: one in flight, the rest to follow it at once.
BACKLOG_LIMIT = 4_000

Agent = Callable[[faust.StreamT[Any]], Awaitable[None]]


def flow_agent(flow: str, ownership: Ownership) -> Agent:
    """Return the agent of `flow`: its events are whole fetches of one topic partition (see `faust_mends`)."""

    async def agent(stream: faust.StreamT[Any]) -> None:
        async for event in stream.events():
            lane = ownership.lane(flow, event.message.partition)
            if lane is None:
                continue  # revoked meanwhile: the next owner reads it again
            lane.put(event.value)
            await lane.drained_below(BACKLOG_LIMIT)

    return agent
