"""What consumer groups have committed and hold, for callers that block: all share one thread."""

import asyncio
import atexit
import threading
import time
from collections.abc import Awaitable, Callable, Collection
from typing import TypeVar

from aiokafka.errors import BrokerResponseError
from aiokafka.errors import KafkaError as ClientError
from confluent_kafka import KafkaError, KafkaException

from topics.connection import Connection, connection
from topics.coordinators import Committed, Coordinators, NoBrokerError
from topics.offsets import TIMEOUT_S, Place
from topics.patience import patiently
from topics.settings import Settings

T = TypeVar("T")

Ask = Callable[[Coordinators], Awaitable[T]]


def groups(settings: Settings, prefix: str = "ecommerce.", timeout_s: float = TIMEOUT_S) -> list[str]:
    """Return the platform's consumer groups that the brokers know.

    Raises confluent_kafka.KafkaException where they do not answer in `timeout_s`, as all here.
    """
    found = _answer(settings, Coordinators.names, timeout_s)
    return sorted(name for name in found if name.startswith(prefix))


def commits(
    settings: Settings, names: Collection[str], timeout_s: float = TIMEOUT_S
) -> dict[tuple[str, Place], Committed]:
    """Return what each of the groups has committed; nothing for one that is not there."""

    async def ask(coordinators: Coordinators) -> dict[tuple[str, Place], Committed]:
        answers = await asyncio.gather(*(coordinators.committed(name) for name in names))
        return {
            (name, place): each
            for name, answer in zip(names, answers, strict=True)
            for place, each in answer.items()
        }

    return _answer(settings, ask, timeout_s) if names else {}


def held(settings: Settings, names: Collection[str], timeout_s: float = TIMEOUT_S) -> set[tuple[str, Place]]:
    """Return which partitions members of each of the groups hold."""

    async def ask(coordinators: Coordinators) -> set[tuple[str, Place]]:
        answers = await asyncio.gather(*(coordinators.held(name) for name in names))
        return {(name, place) for name, answer in zip(names, answers, strict=True) for place in answer}

    return _answer(settings, ask, timeout_s) if names else set()


def _answer(settings: Settings, ask: Ask[T], timeout_s: float) -> T:
    way, deadline = connection(settings), time.monotonic() + timeout_s
    return patiently(lambda: _LINE.answer(way, ask, deadline), timeout_s)


class _Line:
    """The thread with the loop to which all connections belong; begun when it is first asked."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._beginning = threading.Lock()
        self._coordinators: dict[Connection, Coordinators] = {}

    def answer(self, way: Connection, ask: Ask[T], deadline: float) -> T:
        """Return what is asked, or raise a KafkaException with what kept it from being told."""
        return asyncio.run_coroutine_threadsafe(self._ask(way, ask, deadline), self._begun()).result()

    async def _ask(self, way: Connection, ask: Ask[T], deadline: float) -> T:
        coordinators = self._coordinators.get(way) or self._coordinators.setdefault(way, Coordinators(way))
        try:
            async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
                return await ask(coordinators)
        except (ClientError, OSError, TimeoutError) as error:
            # Who coordinates may have changed, or what is connected may hang: the next one asks anew.
            await coordinators.close()
            raise KafkaException(_told(error)) from error

    def _begun(self) -> asyncio.AbstractEventLoop:
        with self._beginning:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                thread = threading.Thread(target=self._loop.run_forever, name="kafka-groups", daemon=True)
                thread.start()
                atexit.register(self._end, self._loop, thread)
            return self._loop

    def _end(self, loop: asyncio.AbstractEventLoop, thread: threading.Thread) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()

    async def _close(self) -> None:
        await asyncio.gather(*(each.close() for each in self._coordinators.values()))


_LINE = _Line()


def _told(error: Exception) -> KafkaError:
    """Return the error as librdkafka would name it, which is what callers know."""
    if isinstance(error, BrokerResponseError):
        return KafkaError(error.errno, str(error))
    if isinstance(error, TimeoutError):
        return KafkaError(KafkaError._TIMED_OUT, "the broker did not answer in time")  # noqa: SLF001 - the client's name
    if isinstance(error, NoBrokerError):
        return KafkaError(KafkaError._ALL_BROKERS_DOWN, str(error))  # noqa: SLF001
    return KafkaError(KafkaError._TRANSPORT, str(error) or repr(error))  # noqa: SLF001
