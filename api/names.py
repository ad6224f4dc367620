"""Names of things in paths: `A/B` is one segment, `A%2FB`, and never a route.

A server hands a path over decoded, so a slash within a name could not be told from one between segments.
`RequestLine` therefore leaves the path encoded until it is routed, and what a route calls `{...:name}` is
decoded afterwards.
"""

from urllib.parse import quote, unquote

from starlette.convertors import Convertor, register_url_convertor

# What a segment may hold as it is (RFC 3986).
_PLAIN = "!$&'()*+,;=:@"


class _Name(Convertor[str]):
    regex = "[^/]+"

    def convert(self, value: str) -> str:
        return unquote(value)

    def to_string(self, value: str) -> str:
        return segment(value)


register_url_convertor("name", _Name())

SKU = "{sku:name}"
"""A route's SKU."""

LINE_ID = "{line_id:name}"
"""A route's line of a cart."""

SUBJECT = "{subject:name}"
"""A route's subject of the schema registry."""


def segment(name: str) -> str:
    """Return a name as one segment of a path."""
    return quote(name, safe=_PLAIN)


def encoded_path(raw: bytes) -> str:
    """Return a request's path in its one encoded form, by which it is routed."""
    path = raw.decode("latin-1")
    if "%" not in path and path.isascii():
        return path
    # Bytes that nobody encoded are read as the UTF-8 that they are.
    parts = raw.decode("utf-8", "replace").split("/")
    return "/".join(quote(unquote(part), safe=_PLAIN) for part in parts)
