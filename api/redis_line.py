"""Redis over one connection that all requests share: what is asked in one turn of the loop goes out together.

A pool gives each command a connection, a write and a read of its own, and that costs more than the command.
Redis answers in the order in which it was asked, so one connection serves everybody. Who connects, logs in
and speaks TLS is redis-py; from then on its connection is read and written here.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any, Protocol

import hiredis
from redis.asyncio import Connection, ConnectionPool
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

Value = bytes | str | int


class Strings(Protocol):
    """What the API keeps in Redis: strings by name, each with a lifetime."""

    async def get(self, name: str) -> Any:
        """Return the value, None where there is none."""
        ...

    async def mget(self, keys: Sequence[str]) -> Any:
        """Return the values, in the order of the names."""
        ...

    async def set(
        self, name: str, value: Value, *, ex: int | None = None, px: int | None = None, nx: bool = False
    ) -> Any:
        """Keep a value for `ex` seconds or `px` ms; with `nx` only where there is none, or None is told."""
        ...

    async def delete(self, name: str) -> Any:
        """Forget a value."""
        ...


class RedisLine:
    """A `Strings` over one shared connection, which is made when it is needed.

    Raises redis-py's errors: `ConnectionError` where the server is not there, `TimeoutError` where it does
    not answer in `seconds`, `ResponseError` for what it refuses. What a lost connection left unanswered is
    asked once more.
    """

    def __init__(self, url: str, seconds: float) -> None:
        self._seconds = seconds
        self._pool: ConnectionPool = ConnectionPool.from_url(
            url, protocol=2, socket_timeout=seconds, socket_connect_timeout=seconds
        )
        self._line: _Line | None = None
        self._opening: asyncio.Task[_Line] | None = None
        self._closed = False

    async def get(self, name: str) -> bytes | None:
        """Return the value, None where there is none."""
        found: bytes | None = await self._ask("GET", name)
        return found

    async def mget(self, keys: Sequence[str]) -> list[bytes | None]:
        """Return the values, in the order of the names."""
        found: list[bytes | None] = await self._ask("MGET", *keys)
        return found

    async def set(
        self, name: str, value: Value, *, ex: int | None = None, px: int | None = None, nx: bool = False
    ) -> bool | None:
        """Keep a value for `ex` seconds or `px` ms; with `nx` only where there is none, or None is told."""
        words: list[Value] = ["SET", name, value]
        if ex is not None:
            words += ("EX", ex)
        if px is not None:
            words += ("PX", px)
        if nx:
            words.append("NX")
        return True if await self._ask(*words) is not None else None

    async def delete(self, name: str) -> int:
        """Forget a value."""
        gone: int = await self._ask("DEL", name)
        return gone

    async def aclose(self) -> None:
        """Close the connection; who still waits gets a `ConnectionError`."""
        self._closed = True
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.gather(self._opening, return_exceptions=True)
        if self._line is not None:
            self._line.close()
        await self._pool.aclose()

    async def _ask(self, *words: Value) -> Any:
        command = hiredis.pack_command(words)  # type: ignore[arg-type] # its stub wants one word
        line = self._line
        if line is not None and not line.lost:
            try:
                return await line.ask(command)
            except RedisConnectionError:
                pass
        return await (await self._open()).ask(command)

    async def _open(self) -> "_Line":
        """Return a connection; many who need a new one wait for the same."""
        if self._line is not None and not self._line.lost:
            return self._line
        if self._closed:
            raise RedisConnectionError("the connection to Redis was closed")
        if self._opening is None or self._opening.done():
            self._opening = asyncio.create_task(self._connect())
        # Who goes away must not take the connection from the others.
        return await asyncio.shield(self._opening)

    async def _connect(self) -> "_Line":
        connection: Connection = self._pool.make_connection()  # type: ignore[no-untyped-call] # redis-py's
        await connection.connect()  # type: ignore[no-untyped-call] # the same
        self._line = _Line(connection, self._seconds)
        return self._line


class _Line(asyncio.Protocol):
    """One connection: commands out, answers in, in the same order."""

    def __init__(self, connection: Connection, seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._reader = hiredis.Reader()
        self._unsent: list[bytes] = []
        self._waiting: deque[tuple[asyncio.Future[Any], float]] = deque()
        self._seconds = seconds
        self._looking: asyncio.TimerHandle | None = None
        self.lost = False
        # Kept, since a writer that nobody holds closes its transport.
        self._writer = _writer_of(connection)
        self._transport = self._writer.transport
        self._transport.set_protocol(self)

    def ask(self, command: bytes) -> "asyncio.Future[Any]":
        """Send a packed command with all others of this turn of the loop, and return its answer to be."""
        answer: asyncio.Future[Any] = self._loop.create_future()
        if self.lost:
            answer.set_exception(RedisConnectionError("the connection to Redis was lost"))
            return answer
        if not self._unsent:
            self._loop.call_soon(self._send)
        self._unsent.append(command)
        self._waiting.append((answer, self._loop.time()))
        if self._looking is None:
            self._looking = self._loop.call_later(self._seconds, self._look)
        return answer

    def data_received(self, data: bytes) -> None:
        """Hand answers to who asked."""
        self._reader.feed(data)
        while True:
            found = self._reader.gets()
            if found is False:
                return
            answer, _ = self._waiting.popleft()
            if answer.done():
                continue
            if isinstance(found, hiredis.ReplyError):
                answer.set_exception(ResponseError(str(found)))
            else:
                answer.set_result(found)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell everybody who waits."""
        self._end(RedisConnectionError(f"the connection to Redis was lost: {exc!r}"))

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()
        self._end(RedisConnectionError("the connection to Redis was closed"))

    def _send(self) -> None:
        if not self.lost:
            self._transport.write(b"".join(self._unsent))
        self._unsent.clear()

    def _look(self) -> None:
        """Give up where the oldest question has no answer in time; answers come in order, so none would."""
        self._looking = None
        if self.lost or not self._waiting:
            return
        late = self._loop.time() - self._waiting[0][1] - self._seconds
        if late < 0:
            self._looking = self._loop.call_later(-late, self._look)
            return
        self._transport.abort()
        self._end(RedisTimeoutError(f"Redis did not answer in {self._seconds:g} s"))

    def _end(self, error: Exception) -> None:
        self.lost = True
        while self._waiting:
            answer, _ = self._waiting.popleft()
            if not answer.done():
                answer.set_exception(error)


def _writer_of(connection: Connection) -> asyncio.StreamWriter:
    """Take the writer out of a connection, which redis-py hands to nobody."""
    writer = connection._writer  # noqa: SLF001
    assert writer is not None, "it is connected"
    connection._writer = connection._reader = None  # noqa: SLF001
    return writer
