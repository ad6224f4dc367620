"""An order is its cart, at agreed or listed prices, and its total is its lines and charges."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from deploy.doctor.facts import Facts
from schemas.cart import CartStatus
from schemas.checkout import Charge
from schemas.envelope import derived_id
from tables.inventory.stock import STOCK
from tests.simulation.rules.rule import Told
from topics import registry as t

_PRODUCT = frozenset({t.PRODUCT_CREATED.name, t.PRODUCT_UPDATED.name, t.PRODUCT_DELETED.name})
_QUOTED = frozenset(
    {t.ORDER_CONFIRMED.name, t.ORDER_PROCESSING.name, t.ORDER_SHIPPED.name, t.ORDER_DELIVERED.name}
)

Line = tuple[str, str, int, int | None]
"""A line's id, SKU, pieces and agreed price."""


class Orders:
    """Follows every checkout from its cart to its payment, and every return to its receipts."""

    def __init__(self) -> None:
        self._prices: dict[str, dict[int, int]] = defaultdict(dict)
        self._charges: dict[str, tuple[Charge, ...]] = {}
        self._frozen: dict[str, list[Line]] = {}
        self._started: dict[str, list[Line]] = {}
        self._totals: dict[str, int] = {}
        self._receipts: dict[str, int] = {}
        self._returns: dict[str, dict[str, int]] = {}

        self._takes: dict[str, Callable[[str, Told], Iterable[str]]] = {
            **dict.fromkeys(_PRODUCT, self._priced),
            t.CHECKOUT_REQUESTED.name: self._asked,
            t.CART_UPDATED.name: self._changed,
            t.CHECKOUT_STARTED.name: self._checked_out,
            t.ORDER_PLACED.name: self._placed,
            t.INVENTORY_RESERVED.name: lambda key, told: self._reserved(key, told.data),
            t.INVENTORY_RECEIVE.name: self._received,
            t.ORDER_RETURNED.name: lambda key, told: self._returned(key, told.data),
            **dict.fromkeys(_QUOTED, self._confirmed),
            t.PAYMENT_INSTRUCT.name: self._instructed,
        }

    def take(self, told: Told) -> Iterator[str]:
        """Compare a message with those before it."""
        take = self._takes.get(told.topic)
        if take is not None:
            yield from take(told.key, told)

    def _priced(self, sku: str, told: Told) -> Iterable[str]:
        self._prices[sku][told.message.aggregate_version] = told.data.price
        return ()

    def _asked(self, _: str, told: Told) -> Iterable[str]:
        self._charges.setdefault(told.data.order_id, told.data.charges)
        return ()

    def _changed(self, _: str, told: Told) -> Iterator[str]:
        if told.data.status is CartStatus.FROZEN:
            self._frozen[told.data.order_id] = _lines(told.data.lines)
            yield from self._begun(told.data.order_id)

    def _checked_out(self, order_id: str, told: Told) -> Iterator[str]:
        self._started[order_id] = _lines(told.data.lines)
        yield from self._begun(order_id)
        yield from self._charged(order_id, told.data.charges)

    def _placed(self, order_id: str, told: Told) -> Iterator[str]:
        yield from self._charged(order_id, told.data.charges)
        if _lines(told.data.lines) != self._started.get(order_id):
            yield f"an order is what its cart was: {order_id} has {_lines(told.data.lines)}"

    def _received(self, _: str, told: Told) -> Iterable[str]:
        self._receipts[told.data.receipt_id] = told.data.quantity
        return ()

    def _confirmed(self, order_id: str, told: Told) -> Iterator[str]:
        yield from _summed(order_id, told.data)
        if told.data.total != self._totals.get(order_id):
            due = self._totals.get(order_id)
            yield f"an order's total is the one reserved: {order_id} {told.data.total}, not {due}"

    def _instructed(self, order_id: str, told: Told) -> Iterator[str]:
        due = self._totals.get(order_id)
        if due is not None and told.data.amount != due:
            yield f"what is charged is the order's total: {order_id} {told.data.amount}, not {due}"

    def _begun(self, order_id: str) -> Iterator[str]:
        frozen, started = self._frozen.get(order_id), self._started.get(order_id)
        if frozen is not None and started is not None and frozen != started:
            yield f"a checkout is of the cart that was frozen: {order_id} has {started}, not {frozen}"

    def _charged(self, order_id: str, charges: tuple[Charge, ...]) -> Iterator[str]:
        if charges != self._charges.get(order_id):
            yield f"an order has the charges asked for: {order_id} has {charges}"

    def _reserved(self, order_id: str, data: Any) -> Iterator[str]:
        # None where what begins an order is not there before what follows from it.
        started = self._started.get(order_id, ())
        wanted = {line_id: (sku, pieces, agreed) for line_id, sku, pieces, agreed in started}
        if [line.line_id for line in data.lines] != list(wanted):
            yield f"a reservation is of the order's lines: {order_id} has {data.lines}"
            return
        for line in data.lines:
            sku, pieces, agreed = wanted[line.line_id]
            listed = set(self._prices[sku].values())
            if (line.sku, line.quantity) != (sku, pieces):
                yield f"a reservation is of the order's lines: {order_id} has {line.quantity} of {line.sku}"
            if line.unit_price not in (listed if agreed is None else {agreed}):
                due = f"listed {sorted(listed)}" if agreed is None else f"agreed {agreed}"
                yield f"a price is agreed or listed: {line.sku} in {order_id} is {line.unit_price}, {due}"
        yield from self._charged(order_id, data.charges)
        yield from _summed(order_id, data)
        self._totals.setdefault(order_id, data.total)

    def _returned(self, order_id: str, data: Any) -> Iterator[str]:
        yield from _summed(order_id, data)
        self._totals[order_id] = data.total
        pieces: dict[str, int] = defaultdict(int)
        for line in data.lines:
            pieces[line.sku] += line.quantity
        self._returns[order_id] = pieces

    def at_rest(self, facts: Facts) -> Iterator[str]:
        """Returned goods are taken in whole; stock knows each product's newest state."""
        for order_id, pieces in self._returns.items():
            for sku, due in pieces.items():
                taken = self._receipts.get(derived_id("return", order_id, sku), 0)
                if taken != due:
                    yield f"what comes back is taken in: {taken} of {sku} for {order_id}, not {due}"
        for sku, prices in self._prices.items():
            stock, newest = facts.tables[STOCK].get(sku), max(prices)
            known = None if stock is None or stock.facts is None else stock.facts
            if known is None or (known.version, known.price) != (newest, prices[newest]):
                yield f"stock knows the newest price: of {sku} it knows {known}, not {prices[newest]}"


def _lines(lines: Any) -> list[Line]:
    return [(line.line_id, line.sku, line.quantity, line.agreed_price) for line in lines]


def _summed(order_id: str, data: Any) -> Iterator[str]:
    """A total is its lines and charges, each as often as it is made."""
    goods = sum(line.quantity * line.unit_price for line in data.lines)
    charged = sum(charge.quantity * charge.amount for charge in data.charges)
    if (data.goods, data.charged, data.total) != (goods, charged, goods + charged):
        said = f"{data.goods} + {data.charged} = {data.total}"
        yield f"a total is its lines and charges: {order_id} says {said}, it is {goods} + {charged}"
