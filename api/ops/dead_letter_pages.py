"""The dead letters' pages, for staff: find by reason, look, edit, send again, discard."""

import asyncio
from collections import Counter
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from pydantic import AfterValidator
from starlette.responses import RedirectResponse, Response

from api.auth.caller import Caller, StaffCaller
from api.ops.desk import Desk, Outcome
from api.ops.models import Domain, known_domain
from api.ops.waiting import WAITING, refused_row
from api.pages.rendering import page
from api.pages.route import PageRoute
from api.problems import Problem, unavailable

router = APIRouter(route_class=PageRoute, include_in_schema=False)

HOME = "/ops/dead-letters"
UNPROCESSABLE = 422
_SHOWN = 25
_LONGEST = 1024 * 1024


async def desk_of(request: Request) -> Desk:
    """Return the desk; raises a 503 Problem where this API was started without one."""
    desk: Desk | None = request.app.state.desk
    if desk is None:
        raise unavailable("the desk for dead letters")
    return desk


AtDesk = Annotated[Desk, Depends(desk_of)]
Word = Annotated[str | None, Query(max_length=100)]


@router.get(HOME)
async def listed(
    request: Request,
    caller: StaffCaller,
    desk: AtDesk,
    domain: Domain = None,
    reason: Word = None,
    every: Annotated[bool, Query(alias="all")] = False,
    number: Annotated[int, Query(alias="page", ge=1, le=100_000)] = 1,
) -> Response:
    """Show a page of the letters of a domain and a reason; those that were dealt with only where asked for.

    Rows of files that were refused are listed where somebody asks for them: there can be thousands.
    """
    found = await asyncio.to_thread(desk.letters, domain or None, None)
    shown = [one for one in found if every or one.standing == WAITING]
    reasons = Counter((one.domain, one.reason) for one in shown)
    asked = bool(domain or reason)
    chosen = [
        one
        for one in shown
        if (not reason or one.reason == reason) and (asked or not refused_row(one.domain, one.reason))
    ]
    pages = max(1, -(-len(chosen) // _SHOWN))
    number = min(number, pages)
    return page(
        request,
        "dead_letters.html",
        caller,
        letters=chosen[(number - 1) * _SHOWN : number * _SHOWN],
        count=len(chosen),
        number=number,
        pages=pages,
        waiting=sum(one.standing == WAITING for one in chosen),
        reasons=[each for each in reasons.most_common() if asked or not refused_row(*each[0])],
        rows=[] if asked else [each for each in reasons.most_common() if refused_row(*each[0])],
        domain=domain or "",
        reason=reason or "",
        every=every,
    )


@router.get(HOME + "/{identity}")
async def opened(request: Request, identity: str, caller: StaffCaller, desk: AtDesk) -> Response:
    """Show one letter: headers, content, stack."""
    found = await asyncio.to_thread(desk.open, identity)
    return page(request, "dead_letter.html", caller, opened=found, letter=found.letter, text=found.text)


@router.post(HOME + "/redrive")
async def redrive_all(
    caller: StaffCaller,
    desk: AtDesk,
    domain: Annotated[str, Form(max_length=100), AfterValidator(known_domain)],
    reason: Annotated[str, Form(min_length=1, max_length=100)],
) -> Response:
    """Send all waiting letters of a domain and a reason again."""
    found = await asyncio.to_thread(desk.letters, domain, reason)
    waiting = [one.id for one in reversed(found) if one.standing == WAITING]
    outcome = await asyncio.to_thread(desk.redrive, waiting, _name(caller))
    _complain(outcome)
    return RedirectResponse(HOME, 303)


@router.post(HOME + "/{identity}/redrive")
async def redrive(identity: str, caller: StaffCaller, desk: AtDesk) -> Response:
    """Send one letter again as it was."""
    _complain(await asyncio.to_thread(desk.redrive, [identity], _name(caller)))
    return RedirectResponse(f"{HOME}/{identity}", 303)


@router.post(HOME + "/{identity}/edit")
async def edit(
    request: Request,
    identity: str,
    caller: StaffCaller,
    desk: AtDesk,
    text: Annotated[str, Form(min_length=1, max_length=_LONGEST)],
) -> Response:
    """Send one letter again as edited; a text that is unsound is shown again with its fault."""
    try:
        _complain(await asyncio.to_thread(desk.redrive_edited, identity, text, _name(caller)))
    except Problem as problem:
        if problem.status != UNPROCESSABLE:
            raise
        found = await asyncio.to_thread(desk.open, identity)
        values = {"opened": found, "letter": found.letter, "text": text, "message": problem.detail}
        return page(request, "dead_letter.html", caller, UNPROCESSABLE, **values)
    return RedirectResponse(f"{HOME}/{identity}", 303)


@router.post(HOME + "/{identity}/discard")
async def discard(
    identity: str,
    caller: StaffCaller,
    desk: AtDesk,
    note: Annotated[str, Form(min_length=1, max_length=500)],
) -> Response:
    """Mark one letter as not to be sent."""
    _complain(await asyncio.to_thread(desk.discard, [identity], _name(caller), note))
    return RedirectResponse(f"{HOME}/{identity}", 303)


def _name(caller: Caller) -> str:
    return caller.user.email if caller.user else "staff"


def _complain(outcome: Outcome) -> None:
    """Raise a 409 Problem where letters were left."""
    if outcome.refused:
        left = "; ".join(f"{identity[:8]}: {why}" for identity, why in outcome.refused.items())
        raise Problem(409, f"{outcome.done} done, {len(outcome.refused)} left: {left}")
