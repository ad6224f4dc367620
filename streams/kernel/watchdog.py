"""Ends a worker that stands still: it holds its partitions, so nobody else can serve them.

A thread of its own looks, because the loop may be what is blocked. What is durable is safe, so the process
ends where it stands; whoever runs it starts it again.
"""

import asyncio
import faulthandler
import inspect
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Final, NoReturn

import structlog

from streams.kernel.standstill import Ends, Look, Standstill, Still

log = structlog.get_logger(__name__)

STANDSTILL_STATUS: Final = os.EX_TEMPFAIL
LOOK_S: Final = 1.0


class Watchdog:
    """Looks at a worker and ends its process, with STANDSTILL_STATUS, after `bound_s` of standstill.

    `see` is called on the worker's loop, `ends` and `tell` (seconds of standstill) in the watchdog's thread.
    """

    def __init__(
        self, bound_s: float, *, see: Callable[[], Look], ends: Ends, tell: Callable[[float], None]
    ) -> None:
        self._bound_s = bound_s
        self._period_s = min(LOOK_S, bound_s / 10)
        self._see = see
        self._ends = ends
        self._tell = tell
        self._stopped = threading.Event()

    async def run(self) -> None:
        """Look for ever, from the worker's loop; the thread judges what was seen."""
        self._look = self._see()
        self._loop = asyncio.get_running_loop()
        threading.Thread(target=self._judge, name="watchdog", daemon=True).start()
        while True:
            await asyncio.sleep(self._period_s)
            self._look = self._see()

    def stop(self) -> None:
        """Judge no more: the worker stops, and has a deadline of its own."""
        self._stopped.set()

    def _judge(self) -> None:
        standstill = Standstill(self._bound_s)
        # Slower than the looks: a loop that is only busy is not taken for blocked.
        while not self._stopped.wait(2 * self._period_s):
            still = standstill.judge(time.monotonic(), self._look, self._ends)
            self._tell(still.seconds if still else 0.0)
            if still is not None and still.seconds >= self._bound_s and not self._stopped.is_set():
                self._end(still)

    def _end(self, still: Still) -> NoReturn:
        log.error("worker stands still and is ended", what=still.what, seconds=round(still.seconds, 1))
        sys.stdout.flush()
        # Tasks tell what waits for what, and which one is missing; threads tell where a loop is blocked.
        with suppress(Exception):
            for task in asyncio.all_tasks(self._loop):
                print("waits:", *_awaited(task.get_coro()), sep=" > ", file=sys.stderr)  # noqa: T201 - as below
        sys.stderr.flush()
        faulthandler.dump_traceback(all_threads=True)
        os._exit(STANDSTILL_STATUS)


def _awaited(coroutine: Any) -> Iterator[str]:
    """Name what a task waits in, from its outermost coroutine to the innermost."""
    while inspect.iscoroutine(coroutine):
        line = coroutine.cr_frame.f_lineno if coroutine.cr_frame is not None else 0
        yield f"{coroutine.__qualname__}:{line}"
        coroutine = coroutine.cr_await
