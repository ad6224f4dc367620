"""The `Prefer` header (RFC 7240): how long a client wants to wait for a command's outcome."""

import re
from typing import Annotated

from fastapi import Depends, Header, Request

from api.settings import ApiSettings

_WAIT = re.compile(r"""(?:^|[,;])\s*wait\s*=\s*"?(\d{1,6})"?\s*(?=$|[,;])""", re.IGNORECASE)


def wait_seconds(header: str | None, longest: float) -> float | None:
    """Return the seconds to wait, at most `longest`; None where none, or nothing valid, is asked for."""
    found = _WAIT.search(header or "")
    if found is None or int(found[1]) == 0:
        return None
    return min(float(found[1]), longest)


def applied(wait: float | None) -> dict[str, str]:
    """Return the `Preference-Applied` header of a granted wait."""
    return {} if wait is None else {"Preference-Applied": f"wait={wait:g}"}


async def _granted(
    request: Request,
    prefer: Annotated[
        str | None,
        Header(
            description="`wait=N` (seconds) answers with the command's outcome instead of 202.",
            examples=["wait=5"],
        ),
    ] = None,
) -> float | None:
    return granted(request, prefer)


def granted(request: Request, prefer: str | None) -> float | None:
    """Return how long a request may wait."""
    limits: ApiSettings = request.app.state.limits
    return wait_seconds(prefer, limits.max_wait_seconds)


Wait = Annotated[float | None, Depends(_granted)]
