from typing import Any

import pytest

from api.order.models import OrderEvent, Progress
from api.order.refusals import sentence
from api.order.steps import steps
from api.product.models import Product

LANTERN = Product(
    sku="L",
    name="Lantern",
    description="",
    categories=[],
    price=1,
    currency="GBP",
    available=0,
    active=True,
    version=1,
)


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
    told = [event(Progress.SHIPPED, 4, tracking="GB1"), event(Progress.DELIVERED, 5, tracking="GB1")]
    (shipped,) = [step for step in steps(told) if step.detail]
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
    told = sentence(event(Progress.CANCELLED, reason=reason, detail="card_declined"), LANTERN)
    assert told.startswith(said)
    assert told.endswith("your cart is as it was.")


@pytest.mark.parametrize(
    ("available", "asked", "said"),
    [
        (91, 100_000, "There are only 91 of Lantern left, and your order asked for 100,000."),
        (91, None, "There are only 91 of Lantern left."),
        (0, 100_000, "Lantern sold out before your order reached it."),
        # Somebody else's order was given up meanwhile.
        (91, 2, "Lantern sold out before your order reached it."),
    ],
)
def test_what_is_left_is_told(available: int, asked: int | None, said: str) -> None:
    short = event(Progress.CANCELLED, reason="out_of_stock")
    left = LANTERN.model_copy(update={"available": available})
    assert sentence(short, left, asked).startswith(said)


def test_a_later_end_does_not_promise_the_cart() -> None:
    for reason in ("capture_failed", "cancelled_by_customer", "cancelled_by_staff"):
        assert "cart" not in sentence(event(Progress.CANCELLED, reason=reason, detail="damaged"), None)


def test_a_return_ends_with_the_refund() -> None:
    assert labels([event(Progress.RETURNED)]) == [("Return received", "done"), ("Refunded", "")]
    assert labels([event(Progress.RETURNED), event(Progress.REFUNDED, 2)])[-1] == ("Refunded", "done")


def test_a_refusal_without_words_of_its_own_is_told_as_it_is() -> None:
    assert sentence(event(Progress.CANCELLED, reason="ordered by mistake"), None) == (
        "The order was cancelled: ordered by mistake."
    )
