"""What a cart's form asks for, line by line, in the shopper's words. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from api.cart.models import Cart, CartItem
from api.problems import Problem

# The dataflow has the last word on the largest quantity; beyond this no message can carry it.
_LARGEST = 2**31 - 1
_LIMIT = re.compile(r"\b1 to (\d+) pieces")


@dataclass(frozen=True)
class Wish:
    """One line of the form: the quantity as typed, and what the field showed before anybody typed."""

    line_id: str
    shown: str
    typed: str


@dataclass
class Changes:
    """The lines whose quantity is to change (0 takes the line out), and what is wrong with others.

    `said` is what there is to tell of it once it is done.
    """

    quantities: dict[str, int] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    said: str = ""


def changes(cart: Cart, wishes: Iterable[Wish]) -> Changes:
    """Return what the shopper changed; a field that nobody touched leaves its line as it is by now."""
    found = Changes()
    items = {item.line_id: item for item in cart.items}
    for wish in wishes:
        typed = wish.typed.strip()
        if typed == wish.shown.strip():
            continue
        item = items.get(wish.line_id)
        if item is None:
            continue
        if not (typed.isascii() and typed.isdigit()):
            found.faults[wish.line_id] = f"How many of {named(item)}? A whole number, or 0 to remove it."
        elif (wanted := min(int(typed[:20]), _LARGEST)) != item.quantity:
            found.quantities[wish.line_id] = wanted
    return found


def named(item: CartItem) -> str:
    """Return what the shopper calls the line."""
    return item.name or item.sku


def fault(problem: Problem, item: CartItem) -> str:
    """Return why a line could not be changed."""
    rule = str(problem.extra.get("reason"))
    if rule == "invalid_quantity":
        limit = _LIMIT.search(problem.detail)
        most = f"At most {int(limit[1]):,}" if limit else "Not so many"
        return f"{most} of {named(item)} can be ordered at once; your cart still has {item.quantity:,}."
    if rule == "cart_frozen":
        return "Your cart is being bought right now, so it cannot change."
    if rule == "unknown_line":
        return f"{named(item)} is not in your cart any more."
    return f"{named(item)} could not be changed; your cart still has {item.quantity:,}."


def told(cart: Cart, done: Mapping[str, int]) -> str:
    """Return what was changed, for those who do not see the page."""
    items = {item.line_id: item for item in cart.items}
    said = []
    for line_id, quantity in done.items():
        if line_id in items:
            name = named(items[line_id])
            said.append(f"{quantity:,} × {name}." if quantity else f"{name} was removed.")  # noqa: RUF001
    return " ".join(said)


def shortages(cart: Cart) -> list[str]:
    """Return what the cart asks for and cannot be bought so, one sentence for each line."""
    return [said for item in cart.items if (said := _shortage(item))]


def _shortage(item: CartItem) -> str | None:
    name = named(item)
    if not item.on_sale:
        return f"{name} is not sold any more."
    if item.replaced:
        return f"{name} is another product than the one you chose: put it into the cart again."
    if item.available <= 0:
        return f"{name} is out of stock."
    if item.available < item.quantity:
        return f"Only {item.available:,} of {name} are left; your cart has {item.quantity:,}."
    return None
