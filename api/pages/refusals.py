"""Why an order did not come about, in the shopper's words."""

from api.orders.models import Order, OrderEvent

_SENTENCES = {
    "out_of_stock": "{product} sold out before your order reached it.",
    "unknown_sku": "{product} is not sold any more.",
    "discontinued": "{product} is not sold any more.",
    "empty_cart": "The cart was empty when the order reached it.",
    "incomplete_cart": "The cart changed while the order was on its way.",
    "cart_frozen": "Another order is being made from this cart.",
    "payment_failed": "The payment was refused ({detail}).",
    "capture_failed": "The payment could not be collected ({detail}).",
    "deadline_exceeded": "The order was not complete in time and has been called off.",
}
_RESTORED = " Nothing was charged or reserved, and your cart is as it was."


def sentence(told: Order | OrderEvent, product: str | None) -> str:
    """Return why the order ended; `product` is the name of the SKU that is the cause, where one is."""
    reason = told.reason or "cancelled"
    detail = (told.detail or reason).replace("_", " ")
    text = _SENTENCES.get(reason)
    if text is None:
        return f"The order was cancelled: {detail}."
    return text.format(product=product or "A product in your cart", detail=detail) + _RESTORED
