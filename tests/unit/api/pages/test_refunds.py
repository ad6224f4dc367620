"""What an order's page says about the money, for each state of order and payment."""

import pytest

from api.order.models import Payment, Progress
from api.order.refunds import settling, told
from api.order.snapshots import of_snapshot
from schemas.order import OrderStatus
from schemas.payment import PaymentStatus
from tests.unit.api.buying import snapshot

P, M = Progress, PaymentStatus


@pytest.mark.parametrize(
    ("status", "payment", "said", "open_still"),
    [
        (P.CONFIRMED, M.AUTHORISED, None, False),
        (P.DELIVERED, M.CAPTURED, None, True),
        (P.REFUNDED, M.REFUNDED, "\N{POUND SIGN}5.90 was refunded on 29 Nov 2026, 17:00 (UTC).", False),
        (P.REFUNDED, M.CREDITED, "\N{POUND SIGN}5.90 was refunded on 29 Nov 2026, 17:00 (UTC).", False),
        (P.REFUNDED, M.CAPTURED, "\N{POUND SIGN}5.90 was refunded.", True),
        (P.REFUNDED, None, "\N{POUND SIGN}5.90 was refunded.", True),
        (P.CANCELLED, M.CAPTURED, "\N{POUND SIGN}5.90 is being refunded.", True),
        (P.CANCELLED, M.REFUNDED, "\N{POUND SIGN}5.90 was refunded on 29 Nov 2026, 17:00 (UTC).", False),
        (
            P.CANCELLED,
            M.VOIDED,
            "Nothing was charged: the payment was only held, and has been released.",
            False,
        ),
        (
            P.CANCELLED,
            M.AUTHORISED,
            "Nothing was charged: the payment was only held, and is being released.",
            True,
        ),
        (P.CANCELLED, M.FAILED, None, False),
        (P.CANCELLED, None, None, False),
    ],
)
def test_the_money_is_told(
    status: Progress, payment: PaymentStatus | None, said: str | None, *, open_still: bool
) -> None:
    order = of_snapshot("o", 1, snapshot(OrderStatus.CONFIRMED)).model_copy(
        update={
            "payment": payment and Payment(status=payment, amount=590, currency="GBP", at=1_795_971_600_000)
        }
    )
    assert (told(order, status), settling(order, status)) == (said, open_still)
