"""Why a request is refused before it is read whole: its first line, and whom its headers say it means. Pure.

What HTTP asks of a server here is in RFC 9112 (section 3.2: one `Host`, or 400). A method that is none would
be 501 by RFC 9110 (section 9.1); as no input gives a 5xx here, it is 405, like one that a path has not.
"""

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

Fault = tuple[HTTPStatus, str]

NO_REQUEST: Final[Fault] = (HTTPStatus.BAD_REQUEST, "this is no HTTP request")
NO_HOST: Final[Fault] = (HTTPStatus.BAD_REQUEST, "a request has one Host header, with a host's name")
UNKNOWN_METHOD: Final[Fault] = (
    HTTPStatus.METHOD_NOT_ALLOWED,
    "there is no such method",
)
TOO_LARGE: Final[Fault] = (HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "the request's headers are too large")

_LINE = re.compile(rb"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64} \S+ HTTP/1\.[01]\r?$", re.MULTILINE)
_HOST = re.compile(rb"[A-Za-z0-9._~!$&'()*+,;=:%\[\]-]*")


def unknown_method(data: bytes) -> bool:
    """Say whether what a parser refused for its method is a request's line otherwise."""
    return _LINE.search(data) is not None


def unaddressed(hosts: Sequence[bytes], version: str) -> bool:
    """Say whether a request does not name the one host that it means; HTTP/1.0 need not."""
    if not hosts:
        return version != "1.0"
    return len(hosts) > 1 or _HOST.fullmatch(hosts[0]) is None
