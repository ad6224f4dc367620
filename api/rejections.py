"""Refused commands as problems: the dataflow's reason decides the status."""

from api.commands import Receipt
from api.problems import FieldError, Problem

_UNPROCESSABLE = ("invalid_", "too_many_", "empty_update")


def status_of(reason: str) -> int:
    """Return 404 for what does not exist, 422 for bad values, 403 for others' things, else 409."""
    if reason.startswith("unknown_"):
        return 404
    if reason.startswith(_UNPROCESSABLE):
        return 422
    return 403 if reason == "forbidden" else 409


def refusal(receipt: Receipt) -> Problem:
    """Return the problem of a refused command, with its reason and field."""
    said = receipt.record.outcome or {}
    reason, field, detail = str(said["reason"]), str(said["field"]), str(said["detail"])
    # A cart's command carries a list of lines; a request of this API is about one of them.
    field = field.removeprefix("lines.")
    return Problem(
        status_of(reason),
        detail,
        kind="refused",
        reason=reason,
        errors=[FieldError(field=field, rule=reason, message=detail)],
        command_id=receipt.command.event_id,
    )
