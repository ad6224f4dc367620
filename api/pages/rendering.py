"""Templates and their filters. Money is minor units, times are milliseconds since the epoch, UTC."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any
from zlib import crc32

from babel.numbers import format_currency, get_currency_precision
from fastapi import Request
from starlette.responses import Response
from starlette.templating import Jinja2Templates

from api.auth.caller import Caller
from api.names import segment

LOCALE = "en_GB"
HUES = 12
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_API = Path(__file__).parent.parent
FOLDERS = tuple(sorted(_API.glob("*/templates")))
"""Templates stand beside the routes that show them; a template's name is used once."""


def money(minor: int, currency: str) -> str:
    """Return an amount of minor units as a shopper reads it, by the currency's ISO 4217 precision."""
    amount = Decimal(minor).scaleb(-get_currency_precision(currency))
    return format_currency(amount, currency, locale=LOCALE)


def initials(name: str) -> str:
    """Return up to two initials: what stands where a picture of the product will be."""
    return "".join(word[0] for word in name.split() if word[0].isalnum())[:2].upper() or "·"


def hue(text: str) -> int:
    """Return which of the style sheet's hues a text always has."""
    return crc32(text.encode()) % HUES


def mark(text: str) -> str:
    """Return a short name, fit for an element's id, that a text always has."""
    return sha256(text.encode()).hexdigest()[:16]


def _shown(ms: int, show: Callable[[datetime], str]) -> str:
    # One row that has no date must not take its list away from everybody.
    try:
        return show(_EPOCH + timedelta(milliseconds=ms))
    except OverflowError:
        return f"{ms} ms"


def iso(ms: int) -> str:
    """Return a time in ISO 8601; as all of these, its milliseconds where it is no date of years 1 to 9999."""
    return _shown(ms, lambda moment: moment.isoformat(timespec="milliseconds"))


def clock(ms: int) -> str:
    """Return a time of day to the millisecond: the steps of an order lie close together."""
    return _shown(ms, lambda moment: moment.strftime("%H:%M:%S.") + f"{ms % 1000:03d}")


def day(ms: int) -> str:
    """Return a date with its time of day."""
    return _shown(ms, lambda moment: moment.strftime("%-d %b %Y, %H:%M"))


TEMPLATES = Jinja2Templates(directory=FOLDERS)
TEMPLATES.env.filters |= {
    "money": money,
    "initials": initials,
    "hue": hue,
    "mark": mark,
    "iso": iso,
    "clock": clock,
    "day": day,
    "segment": segment,
}


def page(request: Request, template: str, caller: Caller, status: int = 200, **values: Any) -> Response:
    """Return a page or a fragment of one."""
    return TEMPLATES.TemplateResponse(request, template, {"caller": caller, **values}, status_code=status)


def fragment(template: str, **values: Any) -> str:
    """Return a fragment as text, for event streams."""
    return TEMPLATES.env.get_template(template).render(**values)


def wants_fragment(request: Request) -> bool:
    """Whether htmx asks, which puts the answer into the page."""
    return request.headers.get("HX-Request") == "true"
