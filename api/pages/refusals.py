"""Why an order did not come about, in the shopper's words."""

from api.catalogue.models import Product
from api.orders.models import Order, OrderEvent

_SENTENCES = {
    "unknown_sku": "{product} is not sold any more.",
    "discontinued": "{product} is not sold any more.",
    "product_replaced": "{product} is another product than the one you chose: put it into the cart again.",
    "empty_cart": "The cart was empty when the order reached it.",
    "incomplete_cart": "The cart changed while the order was on its way.",
    "cart_frozen": "Another order is being made from this cart.",
    "payment_failed": "The payment was refused ({detail}).",
    "price_changed": "A price has changed meanwhile, and it was not the total that you saw.",
    "cart_changed": "Your cart has changed meanwhile, and it was not what you saw.",
    "deadline_exceeded": "The order was not complete in time and has been called off.",
}
_RESTORED = " Nothing was charged or reserved, and your cart is as it was."
# Ends of an order that was confirmed: its cart is long empty.
_LATER = {
    "capture_failed": "The payment could not be collected, so the order was called off. Nothing was charged.",
    "cancelled_by_customer": "You cancelled this order.",
    "cancelled_by_staff": "The shop cancelled this order: {detail}.",
}


def again(told: Order | OrderEvent) -> str | None:
    """Return where a shopper goes on after a refusal; None where the cart is not there any more."""
    if told.reason in _LATER:
        return None
    return "/checkout" if told.reason == "payment_failed" else "/cart"


def sentence(told: Order | OrderEvent, product: Product | None, asked: int | None = None) -> str:
    """Return why the order ended; `product` is the cause where one is, `asked` the pieces ordered of it."""
    reason = told.reason or "cancelled"
    detail = (told.detail or reason).replace("_", " ")
    name = product.name if product else "A product in your cart"
    if reason == "out_of_stock":
        return _short(name, product, asked) + _RESTORED
    if later := _LATER.get(reason):
        return later.format(detail=detail)
    text = _SENTENCES.get(reason)
    return (
        text.format(product=name, detail=detail) + _RESTORED
        if text
        else f"The order was cancelled: {detail}."
    )


def _short(name: str, product: Product | None, asked: int | None) -> str:
    left = product.available if product else 0
    if left <= 0 or (asked is not None and left >= asked):
        return f"{name} sold out before your order reached it."
    wanted = f", and your order asked for {asked:,}" if asked else ""
    return f"There are only {left:,} of {name} left{wanted}."
