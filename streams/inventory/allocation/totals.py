"""The joined reservation: all quotes of an order, and what they come to."""

from schemas.inventory import InventoryReserved
from streams.inventory.policy import AllocationPolicy
from tables.inventory.allocation import Ask


def agreed(policy: AllocationPolicy, consented: int | None, total: int) -> bool:
    """Say whether the buyer may be charged `total`, having agreed to `consented` (None: was not asked)."""
    if consented is None or total == consented:
        return True
    return policy.lower_total_passes and total < consented


def reserved(ask: Ask) -> InventoryReserved:
    """Return the reservation of a completely answered order, its lines in the order's own sequence.

    `goods` and `charged` are minor units; charges may be negative (a discount), and so may their sum.
    """
    quotes = {line.line_id: line for lines in ask.quotes.values() for line in lines}
    lines = tuple(quotes[line_id] for line_id in ask.line_ids)
    goods = sum(line.quantity * line.unit_price for line in lines)
    charged = sum(charge.quantity * charge.amount for charge in ask.charges)
    return InventoryReserved(
        cart_id=ask.cart_id,
        user_id=ask.user_id,
        currency=ask.currency,
        lines=lines,
        charges=ask.charges,
        goods=goods,
        charged=charged,
        total=goods + charged,
        payment_token=ask.payment_token,
    )
