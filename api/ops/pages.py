"""The ops page: consumer lag as live charts, throughput, processes and dead letters."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from api.auth.caller import AnyCaller, Caller, require_staff
from api.health.services import Instance
from api.ops.desk import Desk
from api.ops.models import DeadLetterPage, Lag, PartitionLag
from api.ops.service import ALERT_LETTERS, ALERT_MINUTES
from api.ops.waiting import Counts, apart, total
from api.pages.rendering import page
from api.pages.route import PageRoute
from api.problems import Problem
from api.services import Services, Use

LATE_SECONDS = 10.0
"""A consumer that is longer behind needs a look; a burst is read in less."""

router = APIRouter(route_class=PageRoute, include_in_schema=False)


async def ops_caller(services: Use, caller: AnyCaller) -> Caller:
    """Return the caller: staff, or anyone where the ops pages are open (a platform on one's own machine)."""
    return caller if services.options.open_ops else await require_staff(caller)


OpsCaller = Annotated[Caller, Depends(ops_caller)]


@router.get("/ops")
async def ops(request: Request, caller: OpsCaller) -> Response:
    """Show the page."""
    return page(request, "ops.html", caller)


@router.get("/ops/data", dependencies=[Depends(ops_caller)])
async def data(services: Use) -> Lag:
    """Return the lag of all groups, for the charts."""
    return await services.ops.lag()


@router.get("/ops/tables")
async def tables(request: Request, services: Use, caller: OpsCaller) -> Response:
    """Return the figures and tables of the page."""
    lag = await services.ops.lag()
    dead, recent, counts = await _letters(services, request.app.state.desk)
    failed, rows = apart(counts)
    health = await services.services_health.ask()
    instances = [
        (service, instance) for service, found in sorted(health.services.items()) for instance in found
    ]
    sick = [each for each in instances if not each[1].healthy]
    partitions = sorted(lag.partitions, key=lambda each: (-each.lag, each.group, each.topic, each.partition))
    letters = total(failed) if dead else None
    return page(
        request,
        "_ops_tables.html",
        caller,
        records=sum(group.lag for group in lag.groups),
        seconds=max((group.seconds for group in lag.groups), default=0.0),
        behind=[each for each in partitions if each.lag],
        abreast=[each for each in partitions if not each.lag],
        worries=_worries(services, health.missing, sick, partitions, letters, away=dead is None),
        dead=dead,
        failed=failed,
        rows=rows,
        refused_rows=total(rows),
        admission=services.gate.verdict,
        recent=recent,
        minutes=ALERT_MINUTES,
        alarming=recent > ALERT_LETTERS,
        letters=letters,
        sick=sick,
        well=[each for each in instances if each[1].healthy],
        instances=instances,
        missing=health.missing,
        healthy=sum(instance.healthy for _, instance in instances),
    )


def _worries(
    services: Services,
    missing: Sequence[str],
    sick: Sequence[tuple[str, Instance]],
    partitions: Sequence[PartitionLag],
    letters: int | None,
    *,
    away: bool,
) -> list[str]:
    """Return what needs a look, the worst first; nothing where all is well."""
    found = [f"{service} does not answer." for service in missing]
    found += [f"{service} {instance.instance} is unhealthy." for service, instance in sick]
    if services.gate.verdict.refusing:
        found.append("The platform is full: commands are refused.")
    late = [each for each in partitions if each.lag and each.seconds > LATE_SECONDS]
    if late:
        worst = max(late, key=lambda each: each.seconds)
        found.append(
            f"{len(late):,} partitions are more than {LATE_SECONDS:.0f} s behind: {worst.group} on "
            f"{worst.topic} the most, {worst.seconds:,.0f} s."
        )
    if away:
        found.append("The view of dead letters does not answer.")
    if letters:
        found.append(f"{letters:,} dead letters wait.")
    return found


async def _letters(services: Services, desk: Desk | None) -> tuple[DeadLetterPage | None, int, Counts]:
    """Return the latest dead letters, how many are recent, and how many wait by domain and reason.

    None where their view is away, as it may be: what else the page shows is wanted then most of all. Without
    a desk nobody knows what was dealt with, and all count.
    """
    try:
        dead, recent = await services.ops.dead_letters(limit=20), await services.ops.recent_dead_letters()
        counts = dead.counts if desk is None else await services.ops.waiting.counts(desk)
    except Problem as problem:
        if problem.status != HTTPStatus.SERVICE_UNAVAILABLE:
            raise
        return None, 0, {}
    return dead, recent, counts
