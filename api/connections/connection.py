"""One connection of the server, on uvicorn's own: it adds what uvicorn leaves without a limit.

A client has so long for a request's headers and so long for its body (408), its headers may be so large
(431), and what it is sent must be read. `api.connections.house` says how many there may be, and looks at the
clock.
"""

import json
from enum import Enum, auto
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from httptools import HttpParserError, HttpParserInvalidMethodError, HttpParserUpgrade
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from api.client_address import UNKNOWN, counted_as
from api.connections import line

if TYPE_CHECKING:
    import asyncio

    from api.connections.house import House

# A client that is refused while it sends gets so long to stop, and so to read why.
_LINGER_S = 2.0


class _Reading(Enum):
    """What of a request is being read."""

    NOTHING = auto()
    HEADERS = auto()
    BODY = auto()


class _RefusedError(Exception):
    """Raised through the parser, which stops there."""


class Connection(HttpToolsProtocol):
    """A connection that is watched."""

    def __init__(self, house: "House", **given: Any) -> None:
        super().__init__(**given)
        self._house = house
        self._limits = house.limits
        self.address = UNKNOWN
        self._reading = _Reading.NOTHING
        self._due: float | None = None
        self._header_bytes = self._header_count = self._untold_bytes = 0
        self._unread_since: float | None = None
        self._began = self._began_any = self._refused = False
        self._hosts: list[bytes] = []
        self._fault = line.NO_REQUEST

    def connection_made(self, transport: "asyncio.Transport") -> None:  # type: ignore[override]
        """Begin, or be refused."""
        super().connection_made(transport)
        if self.client:
            self.address = counted_as(self.client[0])
        self._read(_Reading.HEADERS, self._limits.header_seconds)
        full = self._house.enter(self)
        if full is not None:
            self.refuse(full, "there are too many connections; try again later")
            # To wait until it stops sending would be to keep it.
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._house.leave(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what the client sends, as far as it may be so much."""
        if self._refused or self.transport.is_closing():
            return
        self._unset_keepalive_if_required()
        self._began = False
        try:
            self.parser.feed_data(data)
        except HttpParserUpgrade:
            # Nothing is offered to change to, so the request is served as it is.
            pass
        except HttpParserError as error:
            if isinstance(error, HttpParserInvalidMethodError) and line.unknown_method(data):
                self._fault = line.UNKNOWN_METHOD
            self._refuse_unread()
            return
        if self._reading is _Reading.HEADERS and not self._began:
            # A header that has no end yet is kept by the parser, and told to nobody.
            self._untold_bytes += len(data)
            if self._untold_bytes > self._limits.header_bytes:
                self._fault = line.TOO_LARGE
                self._refuse_unread()
        elif self._reading is _Reading.NOTHING and self._answered:
            # Empty lines before a request begin nothing, and must not keep the connection.
            self._read(_Reading.HEADERS, self._limits.header_seconds)

    def on_message_begin(self) -> None:
        """Begin to read a request."""
        super().on_message_begin()
        self._began = self._began_any = True
        self._header_bytes = self._header_count = self._untold_bytes = 0
        self._hosts = []
        if self._reading is not _Reading.HEADERS:
            self._read(_Reading.HEADERS, self._limits.header_seconds)
        if len(self.pipeline) >= self._limits.pipelined_requests:
            raise _RefusedError

    def on_url(self, url: bytes) -> None:
        """Take a part of the request line."""
        super().on_url(url)
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        super().on_header(name, value)
        self._header_count += 1
        if name.lower() == b"host":
            self._hosts.append(value)
        self._count(len(name) + len(value) + len(": \r\n"))

    def on_headers_complete(self) -> None:
        """Begin to read the body, of a request that says whom it means."""
        if line.unaddressed(self._hosts, self.parser.get_http_version()):
            self._fault = line.NO_HOST
            raise _RefusedError
        self._read(_Reading.BODY, self._limits.body_seconds)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """End reading a request."""
        self._read(_Reading.NOTHING, None)
        super().on_message_complete()
        if self._answered and not self.pipeline:
            # It was answered before it ended: nothing tells uvicorn any more to wait for the next.
            self.transport.close()

    def on_response_complete(self) -> None:
        """End an answer."""
        super().on_response_complete()
        if self._reading is _Reading.BODY and self._answered and self._due is not None:
            # What is still sent goes nowhere.
            self._due = min(self._due, self.loop.time() + _LINGER_S)

    def pause_writing(self) -> None:
        """Note that the client does not read."""
        self._unread_since = self.loop.time()
        super().pause_writing()

    def resume_writing(self) -> None:
        """Note that the client reads."""
        self._unread_since = None
        super().resume_writing()

    def look(self, now: float) -> None:
        """End the connection where its client is late, at a time of the loop's clock."""
        if self.transport.is_closing() and self._unread_since is None:
            # What is left of the answer is on its way; so long, and no longer.
            self._unread_since = now
        if self._unread_since is not None and now - self._unread_since > self._limits.unread_seconds:
            self._house.refused(HTTPStatus.REQUEST_TIMEOUT)
            self.transport.abort()
        elif self._due is None or now < self._due:
            return
        elif self._refused:
            self.transport.close()
        elif self._awaited:
            self.refuse(HTTPStatus.REQUEST_TIMEOUT, "the request did not come in time")

    def refuse(self, status: HTTPStatus, detail: str) -> None:
        """Say why, where that can still be said, and close the connection."""
        # Before the first request there is none, though uvicorn's types say otherwise.
        cycle: RequestResponseCycle | None = self.cycle
        sayable = cycle is None or cycle.response_complete or not (cycle.response_started or self.pipeline)
        if cycle is not None and not cycle.response_complete:
            # Whoever waits for the rest of the request waits no more, and what it says goes nowhere.
            cycle.disconnected = True
            cycle.message_event.set()
        silent = status is HTTPStatus.REQUEST_TIMEOUT and not self._began_any
        if sayable and not silent:
            self.transport.write(_refusal(status, detail))
        self._refused = True
        self._house.refused(status)
        if silent or not sayable:
            self.transport.close()
            return
        # A connection that is closed while its client sends is reset, and the client never reads why.
        self.transport.write_eof()
        self._read(_Reading.NOTHING, _LINGER_S)

    @property
    def _answered(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None or cycle.response_complete

    @property
    def _awaited(self) -> bool:
        """Whether it is the client that is waited for."""
        return not self.flow.read_paused and (self._answered or self._reading is _Reading.BODY)

    def _read(self, what: _Reading, seconds: float | None) -> None:
        self._reading = what
        self._due = None if seconds is None else self.loop.time() + seconds

    def _count(self, more: int) -> None:
        self._header_bytes += more
        if self._header_bytes > self._limits.header_bytes or self._header_count > self._limits.header_count:
            self._fault = line.TOO_LARGE
            raise _RefusedError

    def _refuse_unread(self) -> None:
        self.refuse(*self._fault)


def _refusal(status: HTTPStatus, detail: str) -> bytes:
    document = {
        "type": f"urn:ecommerce:problem:{status.phrase.lower().replace(' ', '-')}",
        "title": status.phrase,
        "status": status.value,
        "detail": detail,
    }
    body = json.dumps(document).encode()
    headers = [
        b"content-type: application/problem+json",
        b"content-length: %d" % len(body),
        b"connection: close",
    ]
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        headers.append(b"retry-after: 5")
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        headers.append(b"allow: DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT")
    return STATUS_LINE[status] + b"\r\n".join(headers) + b"\r\n\r\n" + body
