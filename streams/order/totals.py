"""What an order's parts come to, in minor units."""

from collections.abc import Iterable

from schemas.checkout import Charge
from schemas.order import OrderLine


def charged_amount(charges: Iterable[Charge]) -> int:
    """Return the sum of charges; a discount is a negative amount."""
    return sum(charge.quantity * charge.amount for charge in charges)


def goods_amount(lines: Iterable[OrderLine]) -> int:
    """Return the sum of lines; one whose price is not known yet counts nothing."""
    return sum(line.quantity * (line.unit_price or 0) for line in lines)
