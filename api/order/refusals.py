"""Why an order did not come about, in the shopper's words."""

from api.order.models import Order, OrderEvent
from api.product.models import Product
from schemas.refusal import Refusal

_RESTORING: dict[str, str] = {
    Refusal.UNKNOWN_SKU: "{product} is not sold any more.",
    Refusal.DISCONTINUED: "{product} is not sold any more.",
    Refusal.PRODUCT_REPLACED: (
        "{product} is another product than the one you chose: put it into the cart again."
    ),
    Refusal.EMPTY_CART: "The cart was empty when the order reached it.",
    Refusal.INCOMPLETE_CART: "The cart changed while the order was on its way.",
    Refusal.CART_FROZEN: "Another order is being made from this cart.",
    Refusal.PAYMENT_FAILED: "The payment was refused ({detail}).",
    Refusal.PRICE_CHANGED: "A price has changed meanwhile, and it was not the total that you saw.",
    Refusal.CART_CHANGED: "Your cart has changed meanwhile, and it was not what you saw.",
    Refusal.DEADLINE_EXCEEDED: "The order was not complete in time and has been called off.",
}
_RESTORED = " Nothing was charged or reserved, and your cart is as it was."
# Ends of an order that was confirmed: its cart is long empty.
_LATER: dict[str, str] = {
    Refusal.CAPTURE_FAILED: (
        "The payment could not be collected, so the order was called off. Nothing was charged."
    ),
    Refusal.CANCELLED_BY_CUSTOMER: "You cancelled this order.",
    Refusal.CANCELLED_BY_STAFF: "The shop cancelled this order: {detail}.",
}
_SOLD_OUT = "{product} sold out before your order reached it."
SENTENCES = {**_RESTORING, **_LATER, Refusal.OUT_OF_STOCK: _SOLD_OUT}
"""What a shopper reads, by reason; other reasons are for who sends commands himself."""


def again(told: Order | OrderEvent) -> str | None:
    """Return where a shopper goes on after a refusal; None where the cart is not there any more."""
    if told.reason in _LATER:
        return None
    return "/checkout" if told.reason == Refusal.PAYMENT_FAILED else "/cart"


def sentence(told: Order | OrderEvent, product: Product | None, asked: int | None = None) -> str:
    """Return why the order ended; `product` is the cause where one is, `asked` the pieces ordered of it."""
    reason = told.reason or "cancelled"
    detail = (told.detail or reason).replace("_", " ")
    name = product.name if product else "A product in your cart"
    if reason == Refusal.OUT_OF_STOCK:
        return _short(name, product, asked) + _RESTORED
    if later := _LATER.get(reason):
        return later.format(detail=detail)
    text = _RESTORING.get(reason)
    return (
        text.format(product=name, detail=detail) + _RESTORED
        if text
        else f"The order was cancelled: {detail}."
    )


def _short(name: str, product: Product | None, asked: int | None) -> str:
    left = product.available if product else 0
    if left <= 0 or (asked is not None and left >= asked):
        return _SOLD_OUT.format(product=name)
    wanted = f", and your order asked for {asked:,}" if asked else ""
    return f"There are only {left:,} of {name} left{wanted}."
