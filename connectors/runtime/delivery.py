"""Delivers a batch to a sink: what the server refuses is found, by bisection if need be, the rest lands."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from connectors.runtime.sink import BatchRefusedError, Entry, Sink

R = TypeVar("R")


async def deliver(
    sink: Sink[R],
    batch: Sequence[Entry[R]],
    refuse: Callable[[Entry[R], BatchRefusedError], Awaitable[None]],
) -> None:
    """Write the batch, in order; call `refuse` with each entry that cannot be written, and why.

    Raises SinkUnavailableError where the server is away: then any part of the batch may be written, and the
    whole of it can be delivered again.
    """
    try:
        refusals = await sink.write(batch)
    except BatchRefusedError as error:
        if len(batch) == 1:
            await refuse(batch[0], error)
            return
        middle = len(batch) // 2
        await deliver(sink, batch[:middle], refuse)
        await deliver(sink, batch[middle:], refuse)
        return
    for refusal in refusals:
        await refuse(batch[refusal.index], BatchRefusedError(refusal.error, refusal.code))
