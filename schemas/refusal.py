"""Why the dataflow refuses a command or ends an order: each reason once, with what it means.

On the wire a reason is its text: who reads messages of a newer release may meet one that is not here.
"""

from enum import Enum, StrEnum, auto
from typing import Self


class Fault(Enum):
    """What kind of fault a refusal names, from the point of view of who sent the command."""

    UNKNOWN = auto()
    """It names something that does not exist."""
    INVALID = auto()
    """A value of it can never be right."""
    FORBIDDEN = auto()
    """It is about something of somebody else's."""
    CONFLICT = auto()
    """It does not go with how things stand now."""
    UNPAID = auto()
    """It was not paid for."""


class Refusal(StrEnum):
    """The reasons. `fault` is the kind of each, `meaning` one sentence for developers and operators."""

    fault: Fault
    meaning: str

    def __new__(cls, text: str, fault: Fault, meaning: str) -> Self:
        """Make a member that is its text."""
        member = str.__new__(cls, text)
        member._value_ = text
        member.fault = fault
        member.meaning = meaning
        return member

    UNKNOWN_SKU = "unknown_sku", Fault.UNKNOWN, "There is no product with this SKU."
    UNKNOWN_LINE = "unknown_line", Fault.UNKNOWN, "The cart has no line of this id."
    UNKNOWN_ORDER = (
        "unknown_order",
        Fault.UNKNOWN,
        "There is no open order of this id: it was never placed, or it has ended long ago.",
    )
    INVALID_SKU = "invalid_sku", Fault.INVALID, "The SKU is not well-formed."
    INVALID_LINE_ID = "invalid_line_id", Fault.INVALID, "A line's id is empty or too long."
    INVALID_QUANTITY = "invalid_quantity", Fault.INVALID, "A number of pieces is below 1 or above the limit."
    INVALID_PRICE = "invalid_price", Fault.INVALID, "A price is missing, negative or above the limit."
    INVALID_TOTAL = "invalid_total", Fault.INVALID, "A return would take money instead of giving it back."
    INVALID_CHARGE = "invalid_charge", Fault.INVALID, "A charge is made less than once."
    INVALID_CURRENCY = "invalid_currency", Fault.INVALID, "The currency is no ISO 4217 code."
    INVALID_NAME = "invalid_name", Fault.INVALID, "A product's name is empty or too long."
    INVALID_DESCRIPTION = "invalid_description", Fault.INVALID, "A product's description is too long."
    INVALID_THRESHOLD = "invalid_threshold", Fault.INVALID, "The level of low stock is outside its limits."
    INVALID_CATEGORIES = (
        "invalid_categories",
        Fault.INVALID,
        "There are too many categories, one is named twice, or a name is empty or too long.",
    )
    EMPTY_UPDATE = "empty_update", Fault.INVALID, "An update names no field to change."
    EMPTY_RETURN = "empty_return", Fault.INVALID, "A return has neither lines nor charges."
    NO_LINES = "no_lines", Fault.INVALID, "No line was given."
    DUPLICATE_LINE = "duplicate_line", Fault.INVALID, "A line's id is given twice."
    TOO_MANY_LINES = "too_many_lines", Fault.INVALID, "The cart has as many lines as it may have."
    NOT_POSITIVE = "not_positive", Fault.INVALID, "A receipt is of at least one piece."
    ZERO = "zero", Fault.INVALID, "An adjustment changes nothing."
    FORBIDDEN = "forbidden", Fault.FORBIDDEN, "The cart belongs to somebody else."
    ALREADY_EXISTS = "already_exists", Fault.CONFLICT, "What is to be made is there already."
    LINE_CONFLICT = "line_conflict", Fault.CONFLICT, "The line's id stands for another SKU or agreed price."
    PRODUCT_REPLACED = (
        "product_replaced",
        Fault.CONFLICT,
        "The SKU is another product's now than the one that was chosen.",
    )
    DISCONTINUED = "discontinued", Fault.CONFLICT, "The product is not sold any more."
    OUT_OF_STOCK = "out_of_stock", Fault.CONFLICT, "Fewer pieces are available than were asked for."
    CURRENCY_MISMATCH = (
        "currency_mismatch",
        Fault.CONFLICT,
        "The product is not sold in the order's currency.",
    )
    RELEASED = "released", Fault.CONFLICT, "The stock had been released for this order before."
    CART_FROZEN = "cart_frozen", Fault.CONFLICT, "The cart is being bought."
    CART_CHANGED = "cart_changed", Fault.CONFLICT, "The cart is not the one that was seen when it was bought."
    CART_FULL = (
        "cart_full",
        Fault.CONFLICT,
        "The cart would hold more pieces of a line, or more lines, than it may.",
    )
    EMPTY_CART = "empty_cart", Fault.CONFLICT, "There is nothing to buy."
    INCOMPLETE_CART = "incomplete_cart", Fault.CONFLICT, "Lines that were to be bought did not come in time."
    CHECKOUT_PENDING = "checkout_pending", Fault.CONFLICT, "The cart waits to be bought already."
    SAME_CART = "same_cart", Fault.CONFLICT, "A cart cannot be merged into itself."
    MERGE_PENDING = "merge_pending", Fault.CONFLICT, "The cart goes to another user as soon as it is free."
    PRICE_CHANGED = (
        "price_changed",
        Fault.CONFLICT,
        "The order would cost another total than the one that was confirmed.",
    )
    DEADLINE_EXCEEDED = "deadline_exceeded", Fault.CONFLICT, "The order was not complete in time."
    ILLEGAL_MOVE = (
        "illegal_move",
        Fault.CONFLICT,
        "The order cannot go from its status to the one that was asked for.",
    )
    SHIPMENT_CALLED_OFF = (
        "shipment_called_off",
        Fault.CONFLICT,
        "The order was cancelled while its shipment waited for the money.",
    )
    REFUND_FAILED = "refund_failed", Fault.CONFLICT, "The provider refused to give the money back."
    CANCELLED_BY_CUSTOMER = "cancelled_by_customer", Fault.CONFLICT, "The customer cancelled the order."
    CANCELLED_BY_STAFF = "cancelled_by_staff", Fault.CONFLICT, "The shop cancelled the order."
    LEVEL_EXCEEDED = "level_exceeded", Fault.CONFLICT, "The stock would be above the limit."
    BELOW_RESERVED = "below_reserved", Fault.CONFLICT, "The stock would be less than what is reserved."
    ID_REUSED = (
        "id_reused",
        Fault.CONFLICT,
        "The receipt's or adjustment's id was used for another one before.",
    )
    ALREADY_APPLIED = (
        "already_applied",
        Fault.CONFLICT,
        "Another command has brought in this very movement before.",
    )
    PAYMENT_FAILED = "payment_failed", Fault.UNPAID, "The payment was refused."
    CAPTURE_FAILED = "capture_failed", Fault.UNPAID, "The authorised payment could not be collected."


BY_TEXT: dict[str, Refusal] = {each.value: each for each in Refusal}
"""The reasons by what stands on the wire."""


def fault_of(reason: str) -> Fault:
    """Return the kind of a refusal by its text; of one that is not known here, a conflict."""
    known = BY_TEXT.get(reason)
    return Fault.CONFLICT if known is None else known.fault
