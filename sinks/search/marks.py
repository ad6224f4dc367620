"""Highlights as safe HTML. The servers mark matches with control characters, which no name contains."""

from html import escape

OPEN = "\x02"
CLOSE = "\x03"
BRACKETS = "\x04\x05"
"""What stands for < and > where a server would take them for markup."""

_BACK = str.maketrans(BRACKETS, "<>")


def marked(text: str) -> str:
    """Return the text escaped for HTML, with what the server marked in `<mark>`."""
    return escape(text.translate(_BACK)).replace(OPEN, "<mark>").replace(CLOSE, "</mark>")
