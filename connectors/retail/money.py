"""The rounding rule: a unit price becomes whole minor units, half to even; a line is quantity x that price.

Prices of less than half a minor unit round to zero and are rejected as such. The exact decimal is kept beside
the rounded price, so a report can state what rounding changed.
"""

from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache

from iso4217 import Currency

_WHOLE = Decimal(1)


@lru_cache(maxsize=65_536)
def minor_units(price: Decimal, digits: int = 2) -> int:
    """Return a price of major units (GBP) as minor units (pence), rounded half to even.

    `digits` are the minor unit's decimals: 2 for pence, 0 for yen, 3 for the dinar's fils.
    """
    return int(price.scaleb(digits).quantize(_WHOLE, rounding=ROUND_HALF_EVEN))


def digits_of(currency: str) -> int:
    """Return the decimals of a currency's minor unit by ISO 4217; 2 for what has none there."""
    found = Currency(currency).exponent
    return 2 if found is None else found
