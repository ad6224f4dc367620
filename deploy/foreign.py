"""Text that others wrote, on a terminal or in a table: what would act there is shown instead.

Names, reasons, keys and headers come from whoever sent them. A terminal takes some characters for commands
(move, clear, set its title), some turn the direction of what follows, and a spreadsheet takes a cell that
begins with `=` for a formula (OWASP: CSV injection).
"""

import re

# Control characters (without tab and line feed), separators of lines, directions, surrogates.
_ACTS = "\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff"
_ACTING = re.compile(f"[{_ACTS}]")
_ACTING_OR_BREAKING = re.compile(f"[{_ACTS}\t\n]")
# The first characters that make a cell a formula, also in full width, and those that are skipped before one.
_FORMULA = re.compile("[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_SHORT = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}


def shown(text: str) -> str:
    r"""Return the text with what would act on a terminal written out (`\x1b`); lines and tabs stay."""
    return _ACTING.sub(_written_out, text)


def shown_in_line(text: str) -> str:
    """Return the text as one line, with what would act on a terminal written out."""
    return _ACTING_OR_BREAKING.sub(_written_out, text)


def shown_in_json(json: str) -> str:
    """Return JSON that says the same, with what would act on a terminal escaped."""
    return _ACTING.sub(lambda found: f"\\u{ord(found[0]):04x}", json)


def cell(text: str) -> str:
    """Return a cell of CSV: text only, whatever it begins with; a leading apostrophe says so."""
    safe = shown(text)
    return f"'{safe}" if _FORMULA.match(text) else safe


def _written_out(found: re.Match[str]) -> str:
    code = ord(found[0])
    return _SHORT.get(found[0]) or (f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}")  # noqa: PLR2004
