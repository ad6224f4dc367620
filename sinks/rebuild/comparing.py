"""Compares new views with the live ones while both are written: only what stays different is a difference."""

import asyncio
import time
from collections.abc import Mapping

from aiokafka import TopicPartition

from sinks.rebuild.beside import Beside
from sinks.rebuild.catching_up import CatchUp
from sinks.verify.comparison import Difference, again, copy, copy_some, look
from sinks.verify.findings import Findings, found, gaps, parts_of
from sinks.verify.sought import sought
from sinks.verify.spans import Offsets, Spans, behind, committed, spans
from sinks.verify.spool import Spool
from sinks.views import Choice
from topics.settings import Settings

_LOOKS = 4
_STILL_S = 3.0
_POLL_S = 0.2


async def compared(
    settings: Settings,
    choice: Choice,
    beside: Beside,
    catch_up: CatchUp,
    removed: Mapping[TopicPartition, int],
) -> Findings:
    """Return how the live views differ from the new ones; `removed` is what those lack of the topics.

    A live sink that is behind is waited for a while; what differs then may be what it has yet to write.
    Raises Unreadable where the server does not answer.
    """
    with Spool() as spool:
        live = await sought(settings, choice, spool)
        new = await beside.side()
        await copy(live.parts, new, spool)
        first = await look(live.parts, spool, live.side)
        settled: list[Difference] = []
        left, lag = list(first.differences), 0
        for _ in range(_LOOKS):
            if not left:
                break
            lag = await _followed(settings, choice, await catch_up())
            await copy_some(left, new, spool)
            before, left = set(left), await again(left, spool, live.side)
            settled += [each for each in left if each in before]
            left = [each for each in left if each not in before]
        # What the live view lacks is not wrong as long as its sink has not read everything.
        owed = [each for each in settled if lag and each.expected is not None]
        return Findings(
            name=choice.name,
            records=0,
            parts=parts_of(first),
            differences=found(each for each in settled if each not in owed),
            more=0 if lag else first.more,
            behind=len(owed) + (first.more if lag else 0),
            lag=lag,
            moving=len(left),
            removed=gaps(removed),
        )


async def _followed(settings: Settings, choice: Choice, ends: Offsets) -> int:
    """Wait for the live sink to commit up to these ends, or to stand still; return what it lacks."""
    starts = (await spans(settings, choice.topics)).starts
    least, moved_at = sum(ends.values()) + 1, time.monotonic()
    while True:
        has = await committed(settings, choice.group)
        lag = behind(Spans(starts, ends), has)
        if lag < least:
            least, moved_at = lag, time.monotonic()
        if lag == 0 or not has or time.monotonic() - moved_at > _STILL_S:
            return lag
        await asyncio.sleep(_POLL_S)
