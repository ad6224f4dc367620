"""The one table of stock codes that are not goods; every code outside it is goods.

Codes are compared in upper case without surrounding space: the file writes the same article as `85123A` and
`85123a` with the same descriptions (94 such pairs), so the SKU is the upper-case code. `DCGS*` (party bags,
dog collars), `gift_*` (vouchers) and `PADS` look odd but are sold by the piece, so they are goods.
"""

from enum import StrEnum

import msgspec


class ChargeKind(StrEnum):
    """What a row that is not goods charges for (or gives back, on a return)."""

    POSTAGE = "postage"
    CARRIAGE = "carriage"
    MANUAL = "manual"
    DISCOUNT = "discount"
    SAMPLES = "samples"
    FEE = "fee"


class ChargeCode(msgspec.Struct, frozen=True):
    """A stock code that stands for a charge; `name` is shown where the row has no description."""

    kind: ChargeKind
    name: str


CHARGES: dict[str, ChargeCode] = {
    "POST": ChargeCode(ChargeKind.POSTAGE, "Postage"),
    "DOT": ChargeCode(ChargeKind.POSTAGE, "Dotcom postage"),
    "C2": ChargeCode(ChargeKind.CARRIAGE, "Carriage"),
    "C3": ChargeCode(ChargeKind.CARRIAGE, "Carriage"),
    "M": ChargeCode(ChargeKind.MANUAL, "Manual"),
    "ADJUST": ChargeCode(ChargeKind.MANUAL, "Adjustment"),
    "ADJUST2": ChargeCode(ChargeKind.MANUAL, "Adjustment"),
    # Only on returns in the known data: an amount given back.
    "D": ChargeCode(ChargeKind.DISCOUNT, "Discount"),
    "S": ChargeCode(ChargeKind.SAMPLES, "Samples"),
    "BANK CHARGES": ChargeCode(ChargeKind.FEE, "Bank charges"),
    "AMAZONFEE": ChargeCode(ChargeKind.FEE, "Amazon fee"),
    "CRUK": ChargeCode(ChargeKind.FEE, "CRUK commission"),
}

BAD_DEBT_CODE = "B"
BAD_DEBT_PREFIX = "A"
RETURN_PREFIX = "C"


def normalised(stock_code: str) -> str:
    """Return a stock code as SKU: upper case, no surrounding space."""
    return stock_code.strip().upper()
