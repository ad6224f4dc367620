"""One connection to Redis for all: in order, together, and made anew where it is lost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import hiredis
import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from api.redis_line import RedisLine
from tests.eventually import eventually_async
from tests.stack import free_port_base


@dataclass
class Server:
    """Speaks as much of the protocol as a string needs, and notes how it was asked."""

    values: dict[bytes, bytes] = field(default_factory=dict)
    together: list[list[bytes]] = field(default_factory=list)
    """The commands that came in each read."""
    connections: int = 0
    serving: list[asyncio.Task[None]] = field(default_factory=list)
    silent: bool = False
    dies_of: bytes = b""
    """The command on whose arrival the connection is cut, once."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.serving.append(task)
        self.connections += 1
        try:
            await self._serve(reader, writer)
        finally:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        parser = hiredis.Reader()
        while data := await reader.read(1 << 16):
            parser.feed(data)
            names = []
            while (words := parser.gets()) is not False:
                names.append(words[0])
                if words[0] == self.dies_of:
                    self.dies_of = b""
                    writer.transport.abort()
                    return
                if not self.silent:
                    writer.write(self.answer(words))
            if names[0] != b"CLIENT":
                self.together.append(names)

    def answer(self, words: list[bytes]) -> bytes:
        match words:
            case [b"GET", name]:
                return _bulk(self.values.get(name))
            case [b"MGET", *names]:
                return b"*%d\r\n" % len(names) + b"".join(_bulk(self.values.get(name)) for name in names)
            case [b"SET", name, value, *rest]:
                if b"NX" in rest and name in self.values:
                    return b"$-1\r\n"
                self.values[name] = value
                return b"+OK\r\n"
            case [b"DEL", name]:
                return b":%d\r\n" % (self.values.pop(name, None) is not None)
        return b"+OK\r\n" if words[0] == b"CLIENT" else b"-ERR unknown command\r\n"


def _bulk(value: bytes | None) -> bytes:
    return b"$-1\r\n" if value is None else b"$%d\r\n%s\r\n" % (len(value), value)


@asynccontextmanager
async def line(server: Server, seconds: float = 2.0) -> AsyncIterator[RedisLine]:
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    made = RedisLine(f"redis://127.0.0.1:{port}/0", seconds)
    try:
        yield made
    finally:
        await made.aclose()
        listening.close()
        await asyncio.gather(*server.serving)


async def test_strings_are_kept_found_and_forgotten() -> None:
    async with line(Server()) as redis:
        assert await redis.get("a") is None
        assert await redis.set("a", b"1", ex=60) is True
        assert await redis.set("a", b"2", ex=60, nx=True) is None
        assert await redis.set("b", "text", px=60_000, nx=True) is True
        assert await redis.mget(["a", "b", "c"]) == [b"1", b"text", None]
        assert (await redis.delete("a"), await redis.delete("a")) == (1, 0)


async def test_what_is_asked_in_one_turn_goes_out_together_over_one_connection() -> None:
    server = Server()
    async with line(server) as redis:
        await redis.get("first")
        await asyncio.gather(*(redis.set(f"k{n}", b"%d" % n) for n in range(100)))
        found = await asyncio.gather(*(redis.get(f"k{n}") for n in range(100)))
    assert found == [b"%d" % n for n in range(100)], "each gets its own answer"
    assert server.together == [[b"GET"], [b"SET"] * 100, [b"GET"] * 100]
    assert server.connections == 1


async def test_many_who_come_first_wait_for_one_connection() -> None:
    server = Server()
    async with line(server) as redis:
        impatient = asyncio.create_task(redis.get("a"))
        asking = [asyncio.create_task(redis.get("a")) for _ in range(10)]
        await asyncio.sleep(0)
        impatient.cancel()
        assert await asyncio.gather(*asking) == [None] * 10
    assert server.connections == 1


async def test_who_goes_away_leaves_the_others_their_own_answers() -> None:
    server = Server({b"a": b"1", b"b": b"2"})
    async with line(server) as redis:
        await redis.get("a")
        impatient, patient = (asyncio.create_task(redis.get(name)) for name in "ab")
        await asyncio.sleep(0)
        impatient.cancel()
        assert await patient == b"2"
        assert await redis.get("a") == b"1"


async def test_what_the_server_refuses_is_told_and_the_connection_goes_on() -> None:
    server = Server()
    async with line(server) as redis:
        with pytest.raises(ResponseError, match="unknown command"):
            await redis._ask("NONE")
        assert await redis.get("a") is None
    assert server.connections == 1


async def test_a_lost_connection_is_made_anew_and_asked_once_more() -> None:
    server = Server({b"a": b"1"})
    async with line(server) as redis:
        assert await redis.get("a") == b"1"
        server.dies_of = b"MGET"
        assert await redis.mget(["a"]) == [b"1"]
    assert server.connections == 2


async def test_a_server_that_does_not_answer_in_time_is_given_up_and_tried_again() -> None:
    server = Server()
    async with line(server, seconds=0.2) as redis:
        await redis.get("a")
        server.silent = True
        with pytest.raises(RedisTimeoutError):
            await redis.get("a")
        server.silent = False

        async def answers() -> bool:
            return await redis.set("a", b"1") is True

        await eventually_async(answers)


async def test_a_server_that_is_not_there_is_told() -> None:
    redis = RedisLine(f"redis://127.0.0.1:{free_port_base()}/0", 1.0)
    with pytest.raises(RedisConnectionError):
        await redis.get("a")
    await redis.aclose()


async def test_closing_tells_who_waits() -> None:
    server = Server()

    async with line(server) as redis:
        await redis.get("a")
        server.silent = True
        waiting = asyncio.create_task(redis.get("a"))
        await asyncio.sleep(0)
        await redis.aclose()
        with pytest.raises(RedisConnectionError):
            await waiting
