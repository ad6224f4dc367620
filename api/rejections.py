"""Refused commands as problems: the kind of the dataflow's reason decides the status."""

from api.commands import Receipt
from api.problems import FieldError, Problem
from schemas.refusal import Fault, fault_of

STATUSES = {
    Fault.UNKNOWN: 404,
    Fault.INVALID: 422,
    Fault.FORBIDDEN: 403,
    Fault.CONFLICT: 409,
    Fault.UNPAID: 402,
}
"""The status of a refused command, by the kind of its reason."""


def refusal(receipt: Receipt) -> Problem:
    """Return the problem of a refused command, with its reason and field."""
    said = receipt.record.outcome or {}
    reason, field, detail = str(said["reason"]), str(said["field"]), str(said["detail"])
    # A cart's command carries a list of lines; a request of this API is about one of them.
    field = field.removeprefix("lines.")
    return Problem(
        STATUSES[fault_of(reason)],
        detail,
        kind="refused",
        reason=reason,
        errors=[FieldError(field=field, rule=reason, message=detail)],
        command_id=receipt.command.event_id,
    )
