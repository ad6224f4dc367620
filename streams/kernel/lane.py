"""A partition's queue: what arrives while a batch is in flight becomes the next batch.

So there is no waiting when the worker is idle, and batches grow by themselves under load.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import structlog

from streams.kernel.intake import Intake
from streams.kernel.meters import Meters
from streams.kernel.ports import Record
from streams.kernel.task import PartitionTask

log = structlog.get_logger(__name__)

MAX_BATCH = 1_000
MOST_HANDED = 4_000
"""So many records may wait in a lane to which more are handed over; beyond, they are left to the fetch."""
REST_S = 60.0
"""After so long without a record the outputs of the last batch are forgotten; markers live far longer."""


class Lane:
    """Runs one partition's task over the records that are put in. `failed` is told what stopped it."""

    def __init__(self, task: PartitionTask[Any], meters: Meters, failed: Callable[[Exception], None]) -> None:
        self.task = task
        self._meters = meters
        self._failed = failed
        self._pending: list[Record] = []
        self._intake = Intake()
        self._arrived = asyncio.Event()
        self._drained = asyncio.Event()
        self._stopping = False
        self._runner: asyncio.Task[None] | None = None
        self._arming: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to work."""
        name = f"{self.task.flow.name}-{self.task.partition}"
        self._runner = asyncio.create_task(self._run(), name=name)
        self._arming = asyncio.create_task(self._arm(), name=f"{name}-timers")

    def begin(self, topic: str, offset: int) -> None:
        """Be told from where a topic is fetched."""
        self._intake.begin(topic, offset)

    def put(self, records: Sequence[Record]) -> None:
        """Queue fetched records of one topic in their order, but for those that were handed over."""
        if not self._stopping:
            self._pending += self._intake.fetched(records)
            self._arrived.set()

    def hand(self, records: Sequence[Record]) -> bool:
        """Queue records of one topic that the broker has, if they are the next ones.

        Returns whether the lane has them now: others have to be fetched.
        """
        if self._stopping:
            return False
        topic, first, count = records[0].topic, records[0].offset, len(records)
        if self._intake.has(topic, first, count):
            return True
        if len(self._pending) >= MOST_HANDED or not self._intake.handed(topic, first, count):
            return False
        self._pending += records
        self._arrived.set()
        return True

    @property
    def backlog(self) -> int:
        """How many records wait, those of the batch in flight included."""
        return len(self._pending)

    async def drained_below(self, limit: int) -> None:
        """Wait until fewer than `limit` records wait, or the lane has stopped."""
        while len(self._pending) >= limit and not self._stopping:
            self._drained.clear()
            await self._drained.wait()

    async def close(self, grace_s: float) -> None:
        """Drop what waits, let the batch in flight end within `grace_s` seconds, then stop.

        A batch that does not end in time is left where it is: its changelog batch, if written, is taken up by
        the next owner, and nothing after it happens here.
        """
        self._stopping = True
        self._arrived.set()
        self._drained.set()
        if self._runner is None or self._arming is None:
            return
        self._arming.cancel()
        await asyncio.wait((self._arming,))
        with suppress(asyncio.TimeoutError, asyncio.CancelledError):
            # wait_for cancels the runner at the deadline, and waits for it.
            await asyncio.wait_for(self._runner, grace_s)

    async def _run(self) -> None:
        try:
            while not self._stopping:
                if not self._pending:
                    self._arrived.clear()
                    await self._rest()
                    continue
                await self._work()
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - handed on: the worker cannot go on without this partition
            self._stopping = True
            self._drained.set()
            self._failed(error)

    async def _rest(self) -> None:
        """Wait for records; where none come for a while, let no later owner repeat what is long out."""
        if not self.task.repeats:
            await self._arrived.wait()
            return
        try:
            async with asyncio.timeout(REST_S):
                await self._arrived.wait()
        except TimeoutError:
            await self.task.forget_outputs()

    async def _arm(self) -> None:
        try:
            await self.task.arm_timers()
        except Exception as error:  # noqa: BLE001 - handed on, as above
            self._stopping = True
            self._arrived.set()
            self._failed(error)

    async def _work(self) -> None:
        began = time.perf_counter()
        batch = await self.task.apply(self._pending[:MAX_BATCH])
        del self._pending[: batch.consumed]
        self._drained.set()
        self._meters.batch(self.task.flow.name, batch, time.perf_counter() - began)
        if batch.retry_in:
            await asyncio.sleep(batch.retry_in)
