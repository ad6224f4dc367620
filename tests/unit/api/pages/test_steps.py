from typing import Any

import pytest

from api.orders.models import OrderEvent, Progress
from api.pages.refusals import sentence
from api.pages.steps import steps


def event(status: Progress, version: int = 1, **more: Any) -> OrderEvent:
    name = f"order.{status}"
    return OrderEvent(
        order_id="o", event=name, status=status, version=version, occurred_at=version * 1000, **more
    )


def labels(events: list[OrderEvent]) -> list[tuple[str, str]]:
    return [(step.label.split(":")[0], step.state) for step in steps(events)]


def test_before_anything_happened_the_whole_course_is_ahead() -> None:
    assert {state for _, state in labels([])} == {""}
    assert labels([])[0] == ("Order placed", "")


def test_what_happened_is_done_and_the_rest_is_ahead() -> None:
    assert labels([event(Progress.PLACED), event(Progress.CONFIRMED, 2)]) == [
        ("Order placed", "done"),
        ("Confirmed", "done"),
        ("Being packed", ""),
        ("Shipped", ""),
        ("Delivered", ""),
    ]


def test_nothing_is_ahead_of_a_cancelled_order() -> None:
    assert labels([event(Progress.PLACED), event(Progress.CANCELLED, 2)]) == [
        ("Order placed", "done"),
        ("Cancelled", "bad"),
    ]


def test_a_parcel_can_be_tracked() -> None:
    (shipped,) = [step for step in steps([event(Progress.SHIPPED, 4, tracking="GB1")]) if step.detail]
    assert shipped.detail == "Tracking GB1"


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("out_of_stock", "Lantern sold out before your order reached it."),
        ("payment_failed", "The payment was refused (card declined)."),
        ("deadline_exceeded", "The order was not complete in time"),
    ],
)
def test_a_refusal_is_told_in_words(reason: str, said: str) -> None:
    told = sentence(event(Progress.CANCELLED, reason=reason, detail="card_declined"), "Lantern")
    assert told.startswith(said)
    assert told.endswith("your cart is as it was.")


def test_a_refusal_without_words_of_its_own_is_told_as_it_is() -> None:
    assert sentence(event(Progress.CANCELLED, reason="ordered by mistake"), None) == (
        "The order was cancelled: ordered by mistake."
    )
