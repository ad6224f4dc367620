"""Asking the API: so many requests, so many at once, each timed, each answer's status held to."""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

import aiohttp

from tests.bench.percentile import percentile
from tests.bench.step import InvariantError

PATIENCE_S = 30.0


@dataclass(frozen=True)
class Ask:
    """One request, and the status that is right."""

    method: str
    path: str
    status: int = 200
    body: bytes | None = None
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Answered:
    """Latencies in ms, and the seconds that all of them took together."""

    latencies: list[float]
    seconds: float

    @property
    def rate(self) -> float:
        """Return requests per second."""
        return len(self.latencies) / self.seconds

    def percentile(self, share: float) -> float:
        """Return the latency (ms) that this share of the requests kept to."""
        return percentile(self.latencies, share)


class WebLoad:
    """A client of the API at `url`."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def ask(self, asks: Iterable[Ask], at_once: int) -> Answered:
        """Ask everything. Raises InvariantError at the first status that is not the right one."""
        left = iter(asks)
        latencies: list[float] = []
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=at_once),
            timeout=aiohttp.ClientTimeout(total=PATIENCE_S),
            cookie_jar=aiohttp.DummyCookieJar(),
        ) as session:

            async def shopper(asking: Iterator[Ask]) -> None:
                for each in asking:
                    began = time.perf_counter()
                    await self._one(session, each)
                    latencies.append((time.perf_counter() - began) * 1000)

            began = time.perf_counter()
            await asyncio.gather(*(shopper(left) for _ in range(at_once)))
            return Answered(latencies, time.perf_counter() - began)

    async def until(self, ask: Ask, accept: Callable[[bytes], bool]) -> None:
        """Ask until the answer's body is acceptable. Raises TimeoutError."""
        async with aiohttp.ClientSession() as session, asyncio.timeout(PATIENCE_S):
            while True:
                async with self._asked(session, ask) as response:
                    if response.status == ask.status and accept(await response.read()):
                        return
                await asyncio.sleep(0.1)

    async def _one(self, session: aiohttp.ClientSession, ask: Ask) -> None:
        async with self._asked(session, ask) as response:
            body = await response.read()
            if response.status != ask.status:
                text = body[:400].decode(errors="replace")
                raise InvariantError(f"{ask.method} {ask.path} answered {response.status}: {text}")

    def _asked(
        self, session: aiohttp.ClientSession, ask: Ask
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        return session.request(ask.method, f"{self._url}{ask.path}", data=ask.body, headers=dict(ask.headers))
