"""Lag, dead letters and the status of commands."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query

from api.accepted import CommandStatus, command_status
from api.auth.caller import KnownCaller, StaffCaller
from api.ops.models import DeadLetterPage, Domain, Lag
from api.problems import not_found, problems
from api.services import Use

router = APIRouter(tags=["ops"])


@router.get("/ops/lag", operation_id="getLag", responses=problems(401, 403, 503))
async def get_lag(caller: StaffCaller, services: Use) -> Lag:  # noqa: ARG001 (guards)
    """Return the consumer groups' lag, per group and per partition, in records and in seconds."""
    return await services.ops.lag()


@router.get("/dead-letters", operation_id="listDeadLetters", responses=problems(401, 403, 503))
async def list_dead_letters(
    caller: StaffCaller,  # noqa: ARG001 (guards)
    services: Use,
    domain: Domain = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=1024)] = None,
) -> DeadLetterPage:
    """Return a page of the records that could not be handled, the newest first."""
    return await services.ops.dead_letters(domain, limit, cursor)


@router.get("/commands/{command_id}", operation_id="getCommand", responses=problems(401, 404, 503))
async def get_command(
    command_id: Annotated[UUID, Path(description="Id from a 202 answer.")],
    caller: KnownCaller,
    services: Use,
) -> CommandStatus:
    """Return what became of a command that was answered with 202, to whom sent it and to staff."""
    record = await services.commands.find(str(command_id))
    if record is None or not (caller.staff or record.owner == caller.owner):
        raise not_found(f"command {command_id}")
    return command_status(record)
