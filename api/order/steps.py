"""The steps of an order as its page shows them, from the events that were told so far. Pure."""

from dataclasses import dataclass

from api.order.models import OrderEvent, Progress


@dataclass(frozen=True)
class Step:
    """One step: `state` is done, bad, or empty for what is still to come; `at` is in ms."""

    label: str
    state: str = ""
    at: int | None = None
    detail: str | None = None


_LABELS = {
    Progress.PLACED: "Order placed",
    Progress.CONFIRMED: "Confirmed: stock reserved, payment authorised",
    Progress.PROCESSING: "Being packed",
    Progress.SHIPPED: "Shipped",
    Progress.DELIVERED: "Delivered",
    Progress.CANCELLED: "Cancelled",
    Progress.RETURNED: "Return received",
    Progress.REFUNDED: "Refunded",
    Progress.FAILED: "Not accepted",
}
# An order's state in a list, in the shopper's words where the API's own are none.
WORDS = {Progress.REQUESTED: "on its way", Progress.FAILED: "not accepted"}
_COURSE = (
    Progress.PLACED,
    Progress.CONFIRMED,
    Progress.PROCESSING,
    Progress.SHIPPED,
    Progress.DELIVERED,
)
_BAD = frozenset({Progress.CANCELLED, Progress.FAILED})
_ENDS = _BAD | {Progress.REFUNDED}
CANCELLABLE = frozenset({Progress.PLACED, Progress.CONFIRMED, Progress.PROCESSING})


def steps(events: list[OrderEvent]) -> list[Step]:
    """Return what has happened, then what is still expected; nothing is expected after an end."""
    shown = [
        Step(
            _LABELS[event.status],
            "bad" if event.status in _BAD else "done",
            event.occurred_at,
            f"Tracking {event.tracking}" if event.tracking and event.status is Progress.SHIPPED else None,
        )
        for event in events
    ]
    happened = {event.status for event in events}
    if happened & _ENDS:
        return shown
    if Progress.RETURNED in happened:
        return [*shown, Step(_LABELS[Progress.REFUNDED])]
    last = max((_COURSE.index(status) for status in happened if status in _COURSE), default=-1)
    return shown + [Step(_LABELS[status]) for status in _COURSE[last + 1 :]]
