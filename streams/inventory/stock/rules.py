"""What a receipt or an adjustment must be: each rule names the field and says what is wrong with it."""

from collections.abc import Iterator

from schemas.inventory import Movement, MovementKind
from schemas.refusal import Refusal
from schemas.sku import SKU_MAX_LENGTH, well_formed
from streams.breach import Breach
from streams.inventory.policy import StockPolicy
from tables.inventory.stock import Stock


def breach(policy: StockPolicy, sku: str, stock: Stock, movement: Movement) -> Breach | None:
    """Return the first rule that the movement into or out of the stock breaks; None where it is sound."""
    return next(_breaches(policy, sku, stock, movement), None)


def _breaches(policy: StockPolicy, sku: str, stock: Stock, movement: Movement) -> Iterator[Breach]:
    quantity = movement.quantity
    received = movement.kind is MovementKind.RECEIVE
    field = "quantity" if received else "delta"
    level = f"{stock.on_hand} {quantity:+} pieces"
    if not well_formed(sku):
        yield Breach(
            Refusal.INVALID_SKU,
            "sku",
            f"a SKU is 1 to {SKU_MAX_LENGTH} letters, digits, spaces or ._-/ , not {sku!r}",
        )
    if received and quantity <= 0:
        yield Breach(Refusal.NOT_POSITIVE, field, f"a receipt is of at least 1 piece, not {quantity}")
    if quantity == 0:
        yield Breach(Refusal.ZERO, field, "an adjustment changes something")
    if stock.on_hand + quantity > policy.max_level:
        yield Breach(Refusal.LEVEL_EXCEEDED, field, f"{level} is more than {policy.max_level}")
    if stock.on_hand + quantity < stock.reserved:
        yield Breach(Refusal.BELOW_RESERVED, field, f"{level} is less than the {stock.reserved} reserved")
