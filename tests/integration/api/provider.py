"""The one route of a payment provider that the API calls, as a real HTTP server."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

REFUSED_CARD = "4000000000000127"


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    length = int(head.split("content-length:")[1].split("\r\n")[0])
    card = json.loads(await reader.readexactly(length))
    refused = card["card_number"] == REFUSED_CARD
    body = json.dumps({"token": "tok_" + card["card_number"][-4:]}).encode()
    status = b"422 Unprocessable Content" if refused else b"201 Created"
    writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Type: application/json\r\nConnection: close\r\n")
    writer.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
    await writer.drain()
    writer.close()
    await writer.wait_closed()


@asynccontextmanager
async def serve_provider() -> AsyncIterator[str]:
    server = await asyncio.start_server(_serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        yield f"http://127.0.0.1:{port}"
