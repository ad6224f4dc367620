"""The rounding rule: a unit price becomes whole minor units, half to even; a line is quantity x that price.

Prices of less than half a minor unit round to zero and are rejected as such. The exact decimal is kept beside
the rounded price, so a report can state what rounding changed.
"""

from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache

_MINOR = Decimal(100)
_WHOLE = Decimal(1)


@lru_cache(maxsize=65_536)
def minor_units(price: Decimal) -> int:
    """Return a price of major units (GBP) as minor units (pence), rounded half to even."""
    return int((price * _MINOR).quantize(_WHOLE, rounding=ROUND_HALF_EVEN))
