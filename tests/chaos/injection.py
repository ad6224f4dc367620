"""Injecting a fault, and waiting until every canary is served again."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass

from tests.chaos.faults import Fault, Harm, Kind
from tests.chaos.timeline import Timeline
from tests.chaos.victims import Victims

BACK_S = 150.0
_LOOK_S = 0.1


@dataclass(frozen=True)
class Injected:
    """A fault that was injected, in seconds: when, for how long it was watched, what was out for how long.

    `waiting` are the lanes that were not served again in time; empty where all was well.
    """

    name: str
    victims: tuple[str, ...]
    at: float
    watched_s: float
    gaps: Mapping[str, float]
    stated_s: float
    waiting: tuple[str, ...] = ()

    @property
    def longest(self) -> float:
        """Return the longest time that any canary was without service."""
        return max(self.gaps.values(), default=0.0)

    @property
    def in_time(self) -> bool:
        """Tell whether everything was served again within the stated time."""
        return not self.waiting and self.longest <= self.stated_s


class Injector:
    """Injects faults, one after the other."""

    def __init__(self, victims: Victims, timeline: Timeline, began: float, patience: float) -> None:
        self._victims = victims
        self._timeline = timeline
        self._began = began
        self._patience = patience

    async def inject(self, fault: Fault) -> Injected:
        """Inject the fault, heal it, and return once every canary was served after that, or not in time."""
        start = time.monotonic()
        await asyncio.gather(*(self._harm(kind, name) for kind, name in fault.parts))
        waiting = await self._served_since(time.monotonic())
        end = time.monotonic()
        gaps = {
            canary: round(self._timeline.longest_gap(canary, start, end), 2)
            for canary in self._timeline.canaries
        }
        return Injected(
            name=fault.name,
            victims=tuple(name for _, name in fault.parts),
            at=round(start - self._began, 2),
            watched_s=round(end - start, 2),
            gaps=gaps,
            stated_s=fault.stated_s * self._patience,
            waiting=waiting,
        )

    async def _harm(self, kind: Kind, name: str) -> None:
        victims = self._victims
        match kind.harm:
            case Harm.KILL:
                await asyncio.to_thread(victims.kill, name)
                await asyncio.to_thread(victims.revive, name)
            case Harm.PAUSE:
                await self._pause(name, kind.pause_s)
            case Harm.RESTART:
                await asyncio.to_thread(victims.leave, name)
                await asyncio.to_thread(victims.join, name)
            case Harm.WIPE:
                await asyncio.to_thread(victims.remove, name)
                await asyncio.to_thread(victims.forget, name)
                await asyncio.to_thread(victims.join, name)
            case Harm.REMOVE:
                await asyncio.to_thread(victims.remove, name)
                await self._rejoin(name)
            case Harm.LEAVE:
                await asyncio.to_thread(victims.leave, name)
                await self._rejoin(name)

    async def _pause(self, name: str, seconds: float) -> None:
        stopped = await asyncio.to_thread(self._victims.pause, name)
        try:
            await asyncio.sleep(seconds)
        finally:
            self._victims.resume(stopped)

    async def _rejoin(self, name: str) -> None:
        try:
            await self._served_since(time.monotonic())
        finally:
            await asyncio.to_thread(self._victims.join, name)

    async def _served_since(self, moment: float) -> tuple[str, ...]:
        """Wait until each lane was served after the moment; return those that were not in time."""
        deadline = moment + BACK_S * self._patience
        while True:
            waiting = self._timeline.waiting(moment)
            if not waiting or time.monotonic() > deadline:
                return tuple(" ".join(lane) for lane in waiting)
            await asyncio.sleep(_LOOK_S)
