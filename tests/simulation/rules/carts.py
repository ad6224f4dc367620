"""A cart holds what it was told: each command's effect on the lines, worked out a second time."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from deploy.doctor.facts import Facts
from schemas.cart import CartLine, CartStatus
from tests.simulation.rules.rule import Told
from topics import registry as t

Lines = dict[str, CartLine]

_CLOSED = frozenset({CartStatus.EXPIRED, CartStatus.MERGED})
_KEPT = frozenset({t.CHECKOUT_REQUESTED.name, t.CART_RESTORE.name})
_EMPTIED = frozenset({t.CART_CLEAR.name, t.CART_MERGE.name, t.CART_DUE.name})


@dataclass
class _Cart:
    version: int = 0
    status: CartStatus = CartStatus.OPEN
    lines: Lines = field(default_factory=dict)


class Carts:
    """Follows every cart by its `cart.updated` events.

    Lines of a guest that come while a cart is frozen are told by no event: when it opens, it has to hold the
    first so many of them, and in the end none may be left over.
    """

    def __init__(self) -> None:
        self._carts: dict[str, _Cart] = defaultdict(_Cart)
        self._arriving: dict[str, dict[str, tuple[CartLine, ...]]] = defaultdict(dict)
        # By merge: the merged cart's lines, and those that it handed over; either may be told first.
        self._left: dict[str, Lines] = {}
        # Carts that have said of a guest's lines that they do not take them.
        self._refused: set[str] = set()
        self._handed: dict[str, Lines] = {}

    def take(self, told: Told) -> Iterator[str]:
        """Compare a changed cart with what its cause makes of the cart before."""
        if told.topic == t.CART_ABSORB.name:
            yield from self._absorbed(told)
        elif told.topic == t.CART_UPDATED.name:
            yield from self._updated(told)
        elif told.topic == t.CART_REJECTED.name and told.data.command == t.CART_ABSORB.name:
            self._refused.add(told.key)

    def _absorbed(self, told: Told) -> Iterator[str]:
        self._arriving[told.key][told.message.event_id] = told.data.lines
        if told.cause is not None and told.cause.topic == t.CART_MERGE.name:
            merge = told.cause.message.event_id
            self._handed[merge] = _by_id(told.data.lines)
            yield from self._merged(merge)

    def _merged(self, merge: str) -> Iterator[str]:
        left, handed = self._left.get(merge, {}), self._handed.get(merge)
        if merge in self._left and handed is not None and left != handed:
            yield f"a merged cart hands over all its lines: {_spoken(handed)}, not {_spoken(left)}"

    def _updated(self, told: Told) -> Iterator[str]:
        cart, now, cause = self._carts[told.key], told.data, told.cause
        if told.message.aggregate_version <= cart.version or cause is None:
            return
        found = _by_id(now.lines)
        possible = list(self._after(told.key, cart, cause))
        if found not in possible:
            yield (
                f"a cart holds what it was told: {told.key} has {_spoken(found)} after {cause.topic},"
                f" not {_spoken(possible[0])}"
            )
        elif cart.status is CartStatus.FROZEN and now.status is not CartStatus.FROZEN:
            for event_id in list(self._arriving[told.key])[: possible.index(found)]:
                del self._arriving[told.key][event_id]
        self._arriving[told.key].pop(cause.message.event_id, None)
        if now.status is CartStatus.MERGED:
            self._left[cause.message.event_id] = {} if cart.status in _CLOSED else cart.lines
            yield from self._merged(cause.message.event_id)
        cart.version, cart.status, cart.lines = told.message.aggregate_version, now.status, found

    def _after(self, key: str, cart: _Cart, cause: Told) -> Iterator[Lines]:
        """Yield what the cart may hold now: more than one where a guest's lines may have come meanwhile."""
        before: Lines = {} if cart.status in _CLOSED else dict(cart.lines)
        after = _applied(before, cause)
        yield after
        if cart.status is CartStatus.FROZEN:
            for lines in self._arriving[key].values():
                after = _added(after, lines)
                yield after

    def at_rest(self, facts: Facts) -> Iterator[str]:
        """Nothing that was handed to a cart is lost: it is in it, or was refused in words."""
        del facts
        for merge, lines in self._left.items():
            if lines and merge not in self._handed:
                yield f"a merged cart hands over all its lines: {_spoken(lines)} are left behind"
        for key, left in self._arriving.items():
            for never in left.values() if key not in self._refused else ():
                yield f"what a guest's cart hands over arrives: {_spoken(_by_id(never))} never came to {key}"


def _applied(before: Lines, cause: Told) -> Lines:
    if cause.topic in _KEPT:
        return before
    if cause.topic in _EMPTIED:
        return {}
    if cause.topic == t.CART_REMOVE.name:
        return {key: line for key, line in before.items() if key != cause.data.line_id}
    if cause.topic == t.CART_CHANGE.name:
        line = before[cause.data.line_id]
        return before | {
            line.line_id: CartLine(line.line_id, line.sku, cause.data.quantity, line.agreed_price)
        }
    return _added(before, cause.data.lines)


def _added(before: Lines, more: tuple[CartLine, ...]) -> Lines:
    """Return the lines with more in them. A line id stands for one SKU at one price: another is not taken."""
    after = dict(before)
    for line in more:
        present = after.get(line.line_id)
        if present is None:
            after[line.line_id] = line
        elif (present.sku, present.agreed_price) == (line.sku, line.agreed_price):
            pieces = present.quantity + line.quantity
            after[line.line_id] = CartLine(line.line_id, line.sku, pieces, line.agreed_price)
    return after


def _by_id(lines: tuple[CartLine, ...]) -> Lines:
    return {line.line_id: line for line in lines}


def _spoken(lines: Lines) -> str:
    named = (
        f"{line.quantity} {line.sku}" + ("" if line.agreed_price is None else f" at {line.agreed_price}")
        for line in lines.values()
    )
    return ", ".join(named) or "nothing"
