"""Addresses as they may be shown: with the name that logs in, never with what proves it.

Every address that a person or a log sees goes through `shown`, every text of an error through `redacted`.
"""

import re
from urllib.parse import urlsplit

HIDDEN = "***"

# The password of a URL, up to the last @ of the word: people write @ and / in it, not %40 and %2F.
_IN_URL = re.compile(r"(?P<before>\b[a-z][a-z0-9+.-]*://[^\s:/@?#]*):\S+@", re.IGNORECASE)
_NAMED = re.compile(
    r"(?P<before>\b\w*(?:password|passwd|pwd|secret|api_?key|access_?key|token)\w*\s*=\s*)"
    r"(?:'(?:[^'\\]|\\.)*'|[^\s&;,]+)",
    re.IGNORECASE,
)


def redacted(text: str) -> str:
    """Return the text with every password in it hidden: of URLs, and behind `password=` and its like."""
    return _NAMED.sub(rf"\g<before>{HIDDEN}", _IN_URL.sub(rf"\g<before>:{HIDDEN}@", text))


def shown(address: str) -> str:
    """Return a server's address, fit to be shown: scheme, name, host, port and path, no password.

    Takes URLs, `host:port` lists and PostgreSQL's `key=value` words.
    """
    hidden = redacted(address)
    if "://" not in hidden:
        return hidden
    # What stands in a query may be anything.
    return urlsplit(hidden)._replace(query="", fragment="").geturl()
