"""The one thread that speaks to a Kafka client, and how others have it do something between its calls."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")


class ClientThread:
    """A client serves one call at a time; while a callback runs, only those of the callback's own thread.

    So all its calls are made on this thread. A long one, `run`, comes in slices, with `serve` between them;
    what is asked for meanwhile, `between`, is done there. A callback that waits for others serves as well.
    """

    def __init__(self, name: str) -> None:
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._asked: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._loop = asyncio.get_running_loop()

    def run(self, call: Callable[..., T], *arguments: Any) -> "asyncio.Future[T]":
        """Have the thread make a call after those that were given to it before."""
        return self._loop.run_in_executor(self._executor, call, *arguments)

    async def between(self, call: Callable[[], T]) -> T:
        """Have the thread make a call as soon as it serves, and return what comes of it."""
        outcome: Future[T] = Future()

        def make() -> None:
            if outcome.set_running_or_notify_cancel():
                try:
                    outcome.set_result(call())
                except BaseException as error:  # noqa: BLE001 # whoever asked is told
                    outcome.set_exception(error)

        self._asked.put(make)
        # Where nothing runs, this is what serves.
        self._executor.submit(self.serve)
        return await asyncio.wrap_future(outcome)

    def serve(self) -> None:
        """Do what was asked for. Called on the thread itself."""
        with suppress(Empty):
            while True:
                self._asked.get_nowait()()

    def serve_until(self, end: "Future[Any]", seconds: float) -> None:
        """Serve until `end` is there. Called on the thread itself.

        Raises TimeoutError, or what `end` raises.
        """
        end.add_done_callback(lambda _: self._asked.put(lambda: None))
        deadline = time.monotonic() + seconds
        while not end.done() and (left := deadline - time.monotonic()) > 0:
            with suppress(Empty):
                self._asked.get(timeout=left)()
        end.result(0)

    def close(self) -> None:
        """Let the thread end after its last call."""
        self._executor.shutdown(wait=False)
