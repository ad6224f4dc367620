"""A TCP proxy that lets only so much through: a server behind a bad line."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit, urlunsplit

_PIECE = 2048


class SlowProxy:
    """Passes bytes on to a server at most so many per second each way; None is as fast as they come."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._links: set[asyncio.Task[None]] = set()
        self.bytes_per_second: int | None = None

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client until either side hangs up."""
        theirs, ours = await asyncio.open_connection(self._host, self._port)
        links = [
            asyncio.create_task(self._pass(reader, ours)),
            asyncio.create_task(self._pass(theirs, writer)),
        ]
        self._links.update(links)
        await asyncio.wait(links, return_when=asyncio.FIRST_COMPLETED)
        for link in links:
            link.cancel()
        await asyncio.gather(*links, return_exceptions=True)
        self._links.difference_update(links)
        for each in (ours, writer):
            each.close()

    async def hang_up(self) -> None:
        """End all connections."""
        for link in self._links:
            link.cancel()
        await asyncio.gather(*self._links, return_exceptions=True)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while piece := await reader.read(_PIECE):
                if self.bytes_per_second is not None:
                    await asyncio.sleep(len(piece) / self.bytes_per_second)
                writer.write(piece)
                await writer.drain()


@asynccontextmanager
async def slow_proxy(dsn: str) -> AsyncIterator[tuple[SlowProxy, str]]:
    """Run a proxy before the server of `dsn`; give it, and the DSN that leads through it."""
    parts = urlsplit(dsn)
    assert parts.hostname is not None
    proxy = SlowProxy(parts.hostname, parts.port or 5432)
    server = await asyncio.start_server(proxy.accept, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    user, at, _ = parts.netloc.rpartition("@")
    try:
        yield proxy, urlunsplit(parts._replace(netloc=f"{user}{at}127.0.0.1:{port}"))
    finally:
        server.close()
        await proxy.hang_up()
        await server.wait_closed()
