"""No input gives a 5xx: every parameter, field and header of every route and page, filled with what hurts."""

import asyncio
import itertools
import json
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from fastapi.routing import iter_route_contexts

from api.app import create_app
from api.openapi import document
from api.settings import ApiSettings
from topics.settings import Settings

STRINGS = [
    "\x00",
    "a\x00@example.com",
    "\ud800",
    "a\udfffb",
    "\x1b[2J\u202e",
    "%",
    "'",
    "\\",
    "\r\nX-Header: y",
    "𝕏" * 300,
    "a" * 5_000,
    "9" * 40,
    "480",
    "999999999",
    "-1",
    "1e999",
    "NaN",
    "../../etc/passwd",
    "A/../B",
    "null",
    "[]",
    "0001-01-01",
    "99999-12-31",
    "00000000-0000-0000-0000-000000000000",
    "",
]
VALUES: list[Any] = [None, True, -1, 0, 2**31, 2**63, 10**400, 1e308, [], [[]], {}, {"a": {"b": "\ud800"}}]
BODIES = [
    b"",
    b"\x00",
    b"\xff\xfe",
    b"null",
    b'"\\ud800"',
    b"[" * 100_000,
    b'{"a":' * 20_000,
    b'{"\\ud800": 1}',
    b'{"a": NaN}',
    b'{"a": 1e999}',
    b'{"a": ' + b"9" * 5_000 + b"}",
    b'{"a": 1, "a": 2}',
    '{"quantity": "١"}'.encode(),
    '{"a": "ä"}'.encode("utf-16"),
]
HEADERS = {
    "Authorization": [b"Bearer \xff", b"Bearer a.b.c", b"Bearer " + b"a" * 8_000, b"Basic Og==", b"\xff"],
    "Cookie": [
        b"ecommerce_token=\xff; ecommerce_cart=\xff",
        b"ecommerce_cart=" + b"9" * 36,
        b"=;;=\x01",
        b"a",
    ],
    "X-Cart-Id": [b"\xff", b"0" * 36, b"{" + str(uuid.uuid4()).encode() + b"}"],
    "X-Correlation-Id": [b"\xff", b"1" * 5_000],
    "traceparent": [b"\xff", b"00-" + b"0" * 32],
    "Prefer": [b"wait=\xb2", b"wait=-1", b'wait="', b";,;,=", b"wait=5" * 1_000],
    "Idempotency-Key": [b"\xff", b" ", b"a" * 300, b"\x7f"],
    "If-Match": [b"*", b"\xff", b'W/"', b'"1", "2'],
    "If-None-Match": [b'W/"', b"\xff"],
    "If-Modified-Since": [b"garbage", b"Mon, 99 Foo 0001 99:99:99 GMT", b"\xff"],
    "If-Range": [b"\xff", b'"x"'],
    "Range": [b"bytes=9-1", b"bytes=-", b"bytes=0-99999999999999999999", b"bytes=" + b"0-1," * 500, b"\xff"],
    "Last-Event-ID": [b"\xff", b"-1", b"9" * 40, b"1.5"],
    "Accept": [b"\xff", b"text/html;q=\xff"],
    "Accept-Encoding": [b"\xff"],
    "Content-Type": [
        b"\xff",
        b"application/json; charset=utf-99",
        b"multipart/form-data",
        b"multipart/form-data; boundary=" + b"x" * 500,
        b"application/x-www-form-urlencoded; charset=\xff",
    ],
    "Host": [b"[", b"[::1", b"a:b:c", b"\xff", b"a:99999", b""],
    "Origin": [b"\xff", b"http://[", b"null"],
    "Referer": [b"\xff", b"http://["],
    "Sec-Fetch-Site": [b"\xff"],
    "HX-Request": [b"\xff", b"true"],
    "HX-Target": [b"\xff"],
    "X-Forwarded-For": [b"\xff", b"1.2.3.4, [", b"a" * 4_000],
    "X-Forwarded-Proto": [b"\xff", b"gopher"],
    "X-Forwarded-Host": [b"\xff", b"["],
}
LINES = [
    b"GET /\xff HTTP/1.1",
    b"GET /products/%ff HTTP/1.1",
    b"GET /%00 HTTP/1.1",
    b"GET /?q=\xff\xfe&category=\xff HTTP/1.1",
    b"GET /?%ff=%ff HTTP/1.1",
    b"GET /?q=%ed%a0%80 HTTP/1.1",
    b"GET /?" + b"&" * 5_000 + b" HTTP/1.1",
    b"GET /% HTTP/1.1",
    b"GET //[/ HTTP/1.1",
    b"GET http://[/ HTTP/1.1",
    b"GET * HTTP/1.1",
    b"HEAD /%zz/ HTTP/1.1",
    b"OPTIONS * HTTP/1.1",
    b"BREW /\xe2\x98\x95 HTTP/1.1",
    b"GET /static/%2e%2e/%2e%2e/app.py HTTP/1.1",
    b"GET /static/..%2fapp.py HTTP/1.1",
    b"GET /static/%00 HTTP/1.1",
    b"GET /static/" + b"a" * 300 + b" HTTP/1.1",
    b"GET /docs/static/%5c HTTP/1.1",
    b"GET /login?next=//evil.example HTTP/1.1",
    b"GET /login?next=%ff%00 HTTP/1.1",
]
AT_ONCE = 24

Ask = tuple[str, str, bytes | None, str]


def encoded(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


def benign(name: str) -> str:
    return "1" if name in ("schema_id", "version") else "6c1f6f0e-5f39-5d7e-8a4e-0a8f6b0c1d2e"


def asks(settings: Settings) -> Iterator[Ask]:
    """Yield method, address, body and its media type: each place of each route in turn holds what hurts."""
    app = create_app(settings, ApiSettings())
    bodies = _examples(document(app))
    for route in iter_route_contexts(app.routes):
        dependant = getattr(route.original_route, "dependant", None)
        if dependant is None or route.path_format is None:
            continue
        names = [each.alias for each in dependant.path_params]
        plain = route.path_format.format(**{name: benign(name) for name in names})
        fields = [each.alias for one in _all(dependant) for each in one.body_params]
        for method in sorted((route.methods or set()) - {"HEAD"}):
            for address in _addresses(route.path_format, plain, names, dependant):
                yield method, address, None, ""
            if method != "GET":
                example = bodies.get((method.lower(), route.path_format))
                for body, media in _bodies(fields, example):
                    yield method, plain, body, media


def _addresses(path: str, plain: str, names: list[str], dependant: Any) -> Iterator[str]:
    for name, text in itertools.product(names, filter(None, STRINGS)):
        yield path.format(**{each: benign(each) for each in names} | {name: encoded(text)})
    parameters = sorted({each.alias for one in _all(dependant) for each in one.query_params})
    for name, text in itertools.product(parameters, STRINGS):
        yield f"{plain}?{encoded(name)}={encoded(text)}"


def _bodies(fields: list[str], example: Any) -> Iterator[tuple[bytes, str]]:
    if example is None:
        for name, text in itertools.product(fields, STRINGS):
            pairs = (f"{encoded(each)}={encoded(text if each == name else '1')}" for each in fields)
            yield "&".join(pairs).encode(), "application/x-www-form-urlencoded"
    else:
        for changed in _changed(example):
            yield json.dumps(changed).encode(), "application/json"
    for body in BODIES:
        yield body, "application/json"


def _all(dependant: Any) -> Iterator[Any]:
    yield dependant
    for inner in dependant.dependencies:
        yield from _all(inner)


def _examples(described: dict[str, Any]) -> dict[tuple[str, str], Any]:
    found = {}
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if content:
                schema = json.dumps(content["schema"])
                name = schema.rpartition("/")[2].split('"')[0]
                found[method, path] = described["components"]["schemas"][name].get("examples", [{}])[0]
    return found


def _changed(value: Any) -> Iterator[Any]:
    """Yield the value with each part of it, in turn, in each way unsound."""
    yield from (*STRINGS, *VALUES)
    if isinstance(value, dict):
        for name, inner in value.items():
            for other in _changed(inner):
                yield {**value, name: other}
        yield from ({**value, text: 1} for text in STRINGS)


async def test_nothing_that_is_sent_is_an_error_of_ours(
    api: httpx.AsyncClient, api_settings: Settings, staff: dict[str, str]
) -> None:
    waiting = list(asks(api_settings))
    # The limits of logging in and of carts have tests of their own.
    assert len(waiting) > 3_000
    failed: list[str] = []
    headers = {**staff, "X-Cart-Id": str(uuid.uuid4())}

    async def ask_on() -> None:
        while waiting:
            method, address, body, media = waiting.pop()
            told = headers | ({"Content-Type": media} if media else {})
            try:
                answer = await api.request(method, address, content=body, headers=told)
            except httpx.TransportError:
                # Where the machine is full, a connection that was slow is ended; it is asked once more.
                answer = await api.request(method, address, content=body, headers=told)
            if answer.status_code >= 500 and not _unavailable(address, answer):
                failed.append(f"{answer.status_code} {method} {address[:120]} {(body or b'')[:120]!r}")

    await asyncio.gather(*(ask_on() for _ in range(AT_ONCE)))
    assert not failed, "\n".join(failed[:40])


def _unavailable(address: str, answer: httpx.Response) -> bool:
    """Whether it is not about what was sent: the dead letters' desk is not part of these tests' API."""
    return answer.status_code == 503 and "/dead-letters" in address


@pytest.mark.parametrize("kind", ["lines", "headers"])
async def test_no_head_of_a_request_is_an_error_of_ours(
    api: httpx.AsyncClient, staff: dict[str, str], kind: str
) -> None:
    host, port = api.base_url.host, api.base_url.port
    token = staff["Authorization"].encode()

    async def status(line: bytes, *fields: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(b"\r\n".join([line, *fields, b"Connection: close", b"", b""]))
        await writer.drain()
        try:
            return await asyncio.wait_for(reader.readline(), 60)
        finally:
            writer.close()

    failed = []
    tried: list[tuple[bytes, list[bytes]]] = []
    if kind == "lines":
        tried += [(line, [b"Host: shop"]) for line in LINES]
    else:
        heads = [
            b"GET / HTTP/1.1",
            b"GET /static/shop.css HTTP/1.1",
            b"GET /api/v1/cart HTTP/1.1",
            b"GET /api/v1/orders/6c1f6f0e-5f39-5d7e-8a4e-0a8f6b0c1d2e/events HTTP/1.1",
            b"GET /nowhere HTTP/1.1",
            b"POST /cart/items HTTP/1.1",
            b"DELETE /api/v1/cart HTTP/1.1",
        ]
        for head, (name, values) in itertools.product(heads, HEADERS.items()):
            for value in values:
                fields = [b"Content-Length: 0", name.encode() + b": " + value]
                fields += [] if name == "Host" else [b"Host: shop"]
                fields += [] if name in ("Authorization", "Cookie") else [b"Authorization: " + token]
                tried.append((head, fields))
    for line, fields in tried:
        answer = await status(line, *fields)
        if not answer or answer.split()[1] >= b"500":
            failed.append((answer, line, fields))
    assert not failed, "\n".join(map(str, failed[:20]))
