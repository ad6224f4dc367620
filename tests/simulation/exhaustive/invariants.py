"""What holds in every state of the small world, and what holds where nothing can happen any more."""

from collections.abc import Iterator
from typing import Any

from schemas.cart import CartStatus
from streams.kernel.layout import is_state, split_part
from tables.cart import CART
from tables.inventory.stock import STOCK, Reservation
from tables.order import ORDER
from tables.payment import PAYMENT
from tests.simulation.exhaustive.small_world import NAMES, ORDERS, Books, SmallWorld, State
from topics import registry as t


class Invariants:
    """Looks at states; what was looked at once, in one actor or order, is not looked at again."""

    def __init__(self, world: SmallWorld) -> None:
        self._world = world
        self._stocks = [
            (number, key.decode()) for number, (flow, key) in enumerate(world.actors) if flow == "stock"
        ]
        self._sound: set[tuple[int, int]] = set()
        self._told: set[tuple[int, int, int]] = set()

    def always(self, state: State) -> Iterator[str]:
        """Yield what is wrong with a state, whatever is still under way."""
        world = self._world
        for number, sku in self._stocks:
            if (number, state[number]) not in self._sound:
                yield from self._levels(state[number], sku)
                self._sound.add((number, state[number]))
        for order in range(len(ORDERS)):
            seen = (order, state[world.told + order], state[world.told - len(ORDERS) + order])
            if seen not in self._told:
                yield from self._order(order, *seen[1:])
                self._told.add(seen)

    def _levels(self, store: int, sku: str) -> Iterator[str]:
        entries = self._world.stores[store].entries
        parts = [STOCK.decode_part(value) for key, value in entries if split_part(key)]
        held = sum(part.quantity for part in parts if isinstance(part, Reservation))
        for key, value in entries:
            if is_state(key) and not split_part(key):
                stock = STOCK.decode(value)
                if stock.on_hand != stock.received - stock.committed:
                    yield f"on_hand = received - committed: {sku} {stock.on_hand}"
                if stock.reserved != held or not 0 <= stock.reserved <= stock.on_hand:
                    yield f"0 <= reserved = open reservations <= on_hand: {sku} {stock.reserved}, {held}"

    def _order(self, order: int, told: int, books: int) -> Iterator[str]:
        name, history = NAMES[ORDERS[order]], self._world.histories[told]
        ends = [topic for topic, _ in history if topic in _ENDS]
        if len(ends) > 1:
            yield f"a checkout ends once: {name} ends in {ends}"
        captures = [topic for topic, _ in history if topic == t.PAYMENT_CAPTURED.name]
        if len(captures) > 1:
            yield f"at most one captured payment: {name} has {len(captures)}"
        held = self._world.books[books].held
        confirmed = any(topic == t.ORDER_CONFIRMED.name for topic, _ in history)
        if held is not None and held.captured and not confirmed:
            yield f"nothing is captured before it is confirmed: {name}"

    def finally_(self, state: State) -> Iterator[str]:
        """Yield what is wrong with a state in which nothing can happen any more."""
        world = self._world
        for number, (flow, key) in enumerate(world.actors):
            name = NAMES.get(key, key.decode())
            for place, value in world.stores[state[number]].entries:
                if split_part(place):
                    if isinstance(STOCK.decode_part(value), Reservation):
                        yield f"no reservation outlives its checkout: {name}"
                elif is_state(place):
                    yield from self._at_rest(flow, name, value)
        for order, key in enumerate(ORDERS):
            history = {topic for topic, _ in world.histories[state[world.told + order]]}
            if not history & _ENDS:
                yield f"every started checkout ends: {NAMES[key]} has not"
            yield from self._money(NAMES[key], history, world.books[state[world.told - len(ORDERS) + order]])

    def _at_rest(self, flow: str, name: str, value: bytes) -> Iterator[str]:
        if flow == "cart" and CART.decode(value).status is CartStatus.FROZEN:
            yield f"no cart stays frozen: {name}"
        if flow == "order" and ORDER.decode(value).snapshot.status == "placed":
            yield f"every started checkout ends: {name} is still placed"
        if flow == "payment" and PAYMENT.decode(value).pending is not None:
            yield f"no payment stays under way: {name}"

    def _money(self, name: str, history: set[str], books: Books) -> Iterator[str]:
        held: Any = books.held
        confirmed = t.ORDER_CONFIRMED.name in history and t.ORDER_CANCELLED.name not in history
        kept = 0 if held is None else held.captured - held.refunded
        if bool(kept) != confirmed:
            yield f"captured and not refunded if and only if confirmed: {name} has paid {kept}"
        if held is not None and held.authorised and not held.captured and not held.voided:
            yield f"no money stays held: {name}"


_ENDS = frozenset({t.CHECKOUT_COMPLETED.name, t.CHECKOUT_FAILED.name})
