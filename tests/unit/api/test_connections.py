"""What a client may do with a connection, on a real socket: to be slow, silent, large or many."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext, suppress

import httpx
import pytest
import structlog
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

from api.bodies import BodyLimit
from api.connections.settings import ConnectionSettings
from api.middleware import RequestContext
from api.run import options
from api.settings import ApiSettings
from tests.eventually import eventually_async, eventually_seen

HASTY = ConnectionSettings(
    header_seconds=0.5, body_seconds=0.5, idle_seconds=1, unread_seconds=1, connections_per_address=300
)
LARGE = b"x" * 8_000_000
GET = b"GET /quick HTTP/1.1\r\nHost: shop\r\n\r\n"
HALF = b"POST /body HTTP/1.1\r\nHost: shop\r\nContent-Length: 9\r\n\r\n1"
NEIGHBOUR = "127.0.0.2"


def shop() -> FastAPI:
    app = FastAPI()

    @app.get("/quick")
    async def quick() -> str:
        return "quick"

    @app.get("/slow")
    async def slow() -> str:
        await asyncio.sleep(1.5)
        return "slow"

    @app.post("/body")
    async def body(request: Request) -> int:
        return len(await request.body())

    @app.get("/large")
    async def large() -> StreamingResponse:
        async def parts() -> AsyncIterator[bytes]:
            for start in range(0, len(LARGE), 100_000):
                yield LARGE[start : start + 100_000]

        return StreamingResponse(parts())

    app.add_middleware(BodyLimit, limit=100_000)
    app.add_middleware(RequestContext)
    return app


@asynccontextmanager
async def serving(limits: ConnectionSettings) -> AsyncIterator[int]:
    serve = uvicorn.Server(uvicorn.Config(shop(), port=0, **options(ApiSettings(), limits)))
    serve.capture_signals = nullcontext  # type: ignore[method-assign,assignment]
    task = asyncio.create_task(serve.serve())
    assert await eventually_seen(lambda: serve.started)
    try:
        yield serve.servers[0].sockets[0].getsockname()[1]
    finally:
        serve.should_exit = True
        await task


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async with serving(HASTY) as opened:
        yield opened


Connected = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def connect(port: int, sends: bytes = b"", source: str = "127.0.0.1") -> Connected:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0), limit=1 << 16)
    writer.write(sends)
    return reader, writer


async def all_of(connected: Connected, seconds: float = 10) -> bytes:
    """Return what comes until the server closes the connection."""
    came = b""
    try:
        async with asyncio.timeout(seconds):
            while part := await connected[0].read(65_536):
                came += part
    except ConnectionError:
        pass
    finally:
        connected[1].close()
    return came


async def ask(port: int, source: str = "127.0.0.1") -> int:
    transport = httpx.AsyncHTTPTransport(local_address=source)
    async with httpx.AsyncClient(transport=transport, base_url=f"http://127.0.0.1:{port}") as client:
        return (await client.get("/quick")).status_code


@pytest.mark.parametrize(
    ("sends", "status"),
    [
        (b"GET /quick HTTP/1.1\r\nHost: sh", b"408"),
        (b"POST /body HTTP/1.1\r\nHost: shop\r\nContent-Length: 100\r\n\r\n0123", b"408"),
        (b"POST /body HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n0123\r\n", b"408"),
        (b"\r\n\r\n", b""),
        (b"", b""),
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET /quick HTTP/1.1\r\nHost: shop\r\nX: " + b"x" * 40_000 + b"\r\n\r\n", b"431"),
        (b"GET /quick HTTP/1.1\r\nHost: shop\r\nX: " + b"x" * 400_000, b"431"),
        (b"GET /quick HTTP/1.1\r\nHost: shop\r\n" + b"X: y\r\n" * 101 + b"\r\n", b"431"),
        (b"GET /quick HTTP/1.1\r\n\r\n", b"400"),
        (b"GET /quick HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n", b"400"),
        (b"GET /quick HTTP/1.1\r\nHost: a/b\r\n\r\n", b"400"),
        (b"GET /quick HTTP/1.1\r\nHost: a@b\r\n\r\n", b"400"),
        (b"POST /body HTTP/1.1\r\nContent-Length: 4\r\n\r\n0123", b"400"),
        (b"GET /quick HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", b"400"),
        (b"GET /quick HTTP/1.0\r\n\r\n", b"200"),
        (b"GET /quick HTTP/1.1\r\nConnection: close\r\nHost:\r\n\r\n", b"200"),
        (b"GET /quick HTTP/1.1\r\nConnection: close\r\nHost: [::1]:80\r\n\r\n", b"200"),
        (b"FOO /quick HTTP/1.1\r\nHost: shop\r\n\r\n", b"405"),
        (b"get /quick HTTP/1.1\r\nHost: shop\r\n\r\n", b"405"),
        (b"G<T /quick HTTP/1.1\r\nHost: shop\r\n\r\n", b"400"),
        (b"GET /" + b"x" * 40_000 + b" HTTP/1.1\r\nHost: shop\r\n\r\n", b"431"),
    ],
)
async def test_who_is_slow_or_large_is_told_so_and_closed(port: int, sends: bytes, status: bytes) -> None:
    answer = await all_of(await connect(port, sends))
    assert answer[9:12] == status
    assert len(answer) < 1_000


async def test_twenty_megabytes_of_headers_are_not_taken(port: int) -> None:
    connected = await connect(port, GET[:-2])
    reading = asyncio.create_task(all_of(connected))
    for number in range(200):
        connected[1].write(b"X-%d: %s\r\n" % (number, b"x" * 100_000))
        with suppress(ConnectionError):
            await connected[1].drain()
        if reading.done():
            break
    assert b" 431 " in await reading


async def test_a_client_that_trickles_its_headers_is_not_kept(port: int) -> None:
    connected = await connect(port, GET[:-2])
    reading = asyncio.create_task(all_of(connected))
    async with asyncio.timeout(10):
        while not reading.done():
            connected[1].write(b"X: y\r\n")
            await asyncio.sleep(0.1)
    assert b" 408 " in await reading


async def test_a_body_refused_while_it_is_sent_does_not_keep_the_connection(port: int) -> None:
    head = b"POST /body HTTP/1.1\r\nHost: shop\r\nContent-Length: 100000000\r\n\r\n"
    assert b" 413 " in await all_of(await connect(port, head + b"x" * 1_000))


async def test_empty_lines_between_requests_do_not_keep_the_connection(port: int) -> None:
    connected = await connect(port, GET)
    reading = asyncio.create_task(all_of(connected))
    async with asyncio.timeout(10):
        while not reading.done():
            connected[1].write(b"\r\n")
            await asyncio.sleep(0.1)
    assert (await reading).count(b'"quick"') == 1


async def test_an_honest_client_uses_one_connection_for_long(port: int) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        for path in ("/quick", "/slow", "/quick"):
            assert (await client.get(path)).status_code == 200
        assert (await client.post("/body", content=b"x" * 90_000)).text == "90000"
        assert (await client.post("/body", content=b"x" * 200_000)).status_code == 413
        assert (await client.get("/quick")).status_code == 200


async def test_requests_sent_ahead_are_answered_in_turn_up_to_a_limit(port: int) -> None:
    closing = GET.replace(b"Host", b"Connection: close\r\nHost")
    assert (await all_of(await connect(port, GET * 9 + closing))).count(b'"quick"') == 10
    assert (await all_of(await connect(port, GET * 2_000))).count(b'"quick"') < 100


async def test_an_answer_that_nobody_reads_is_cut_off(port: int) -> None:
    reader, writer = await connect(port, GET.replace(b"quick", b"large"))
    await reader.readexactly(20)
    # asyncio stops to read once its own buffer is full; the rest stays with the server.
    await asyncio.sleep(3)
    with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
        await reader.readexactly(len(LARGE))
    writer.close()


async def test_nine_hundred_half_open_connections_are_closed_and_others_served(port: int) -> None:
    halves = (b"", GET[:-8], HALF)
    began = time.monotonic()
    opened = [await connect(port, halves[number % 3]) for number in range(900)]
    served = asyncio.create_task(ask(port, NEIGHBOUR))
    answers = await asyncio.gather(*(all_of(each, 60) for each in opened))
    assert time.monotonic() - began < 30
    assert await served == 200
    # Those beyond the address's share were told so at once.
    assert sum(b" 429 " in each for each in answers) > 0
    assert await ask(port) == 200


async def test_an_address_has_a_share_of_the_connections(port: int) -> None:
    async with serving(ConnectionSettings(connections=12, connections_per_address=8)) as opened:
        mine = [await connect(opened, b"GET") for _ in range(8)]
        assert b" 429 " in await all_of(await connect(opened))
        assert await ask(opened, NEIGHBOUR) == 200
        others = [await connect(opened, b"GET", NEIGHBOUR) for _ in range(4)]
        assert b" 503 " in await all_of(await connect(opened, b"", "127.0.0.3"))
        for _, writer in (*mine, *others):
            writer.close()
        assert await eventually_async(lambda: ask(opened, "127.0.0.3"), lambda status: status == 200)
    assert port


async def test_refusals_leave_no_traceback_and_few_lines(port: int) -> None:
    with structlog.testing.capture_logs() as lines:
        halves = [await connect(port, HALF) for _ in range(50)]
        for each in halves:
            assert b" 408 " in await all_of(each)
        for _ in range(50):
            await all_of(await connect(port, b"nonsense\r\n\r\n"))
    assert not [line for line in lines if line["log_level"] == "error" or "exc_info" in line]
    assert len([line for line in lines if line["event"] == "connections_refused"]) <= 2
