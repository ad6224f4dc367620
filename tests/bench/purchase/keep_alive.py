"""An HTTP/1.1 connection that costs the load program little: bytes out, status and body back."""

import asyncio
from typing import NamedTuple, Self

PATIENCE_S = 60.0
_HEAD_END = b"\r\n\r\n"
_LENGTH = b"content-length:"


class Answer(NamedTuple):
    """An answer's status and body."""

    status: int
    body: bytes


class BrokenAnswerError(Exception):
    """The server ended the connection, or what it sent is no answer that this client reads."""


class KeepAlive(asyncio.Protocol):
    """One connection, one request at a time. Only answers with `Content-Length` are read."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[Answer] | None = None
        self._got = bytearray()

    @classmethod
    async def connect(cls, host: str, port: int) -> Self:
        """Return an open connection."""
        _, made = await asyncio.get_running_loop().create_connection(cls, host, port)
        return made

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way out."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell who waits."""
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(BrokenAnswerError(str(exc or "the server closed the connection")))

    def data_received(self, data: bytes) -> None:
        """Hand the answer on once it is whole."""
        self._got += data
        end = self._got.find(_HEAD_END)
        if end < 0 or self._waiting is None or self._waiting.done():
            return
        head = bytes(self._got[:end]).lower()
        at = head.find(_LENGTH)
        if at < 0:
            self._waiting.set_exception(BrokenAnswerError(head[:200].decode(errors="replace")))
            return
        length = int(head[at + len(_LENGTH) :].split(b"\r\n", 1)[0])
        begin = end + len(_HEAD_END)
        if len(self._got) >= begin + length:
            body = bytes(self._got[begin : begin + length])
            self._got.clear()
            self._waiting.set_result(Answer(int(head[9:12]), body))

    async def ask(self, request: bytes) -> Answer:
        """Send a whole request and return its answer. Raises BrokenAnswerError, TimeoutError."""
        assert self._transport is not None
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        async with asyncio.timeout(PATIENCE_S):
            return await self._waiting

    def close(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.close()


def request(
    method: str, path: str, host: str, body: bytes = b"", headers: tuple[tuple[str, str], ...] = ()
) -> bytes:
    """Return a request's bytes."""
    lines = [
        f"{method} {path} HTTP/1.1",
        f"Host: {host}",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in headers),
    ]
    return "\r\n".join(lines).encode() + _HEAD_END + body
