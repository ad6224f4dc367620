"""Planted bugs of sums: pieces, prices and charges that come out a little wrong."""

from typing import Any

from msgspec.structs import replace

from schemas.inventory import InventoryReserve, InventoryReserved, QuotedLine
from streams.breach import Breach
from streams.cart import lines as cart_lines
from streams.inventory.allocation import decide as allocation
from streams.inventory.allocation.totals import reserved
from streams.inventory.stock import decide as stock
from streams.inventory.stock.markers import held
from streams.inventory.stock.quote import quote
from streams.kernel.flow import Decision
from tables.inventory.allocation import Ask
from tables.inventory.stock import Facts, Reservation
from tests.simulation.mutations.mutation import Handler, Mutation, in_handler
from tests.simulation.settings import Parts
from topics import registry as t

_joined = cart_lines._joined


def _first_line_released(right: Handler, state: Any, message: Any) -> Decision[Any]:
    order_id = message.data.order_id
    before = None if state is None else held(state, order_id)
    if before is not None:
        short = Reservation(before.lines[0].quantity, before.lines)
        state = replace(state, orders=state.orders.set(order_id, short))
    return right(state, message)


def _charged_once(ask: Ask) -> InventoryReserved:
    whole = reserved(ask)
    charged = sum(charge.amount for charge in ask.charges)
    return replace(whole, charged=charged, total=whole.goods + charged)


def _penny_low(ask: Ask) -> InventoryReserved:
    whole = reserved(ask)
    return replace(whole, total=whole.total - 1)


def _listed_where_several(facts: Facts, sku: str, asked: InventoryReserve) -> tuple[QuotedLine, ...]:
    if len(asked.lines) > 1:
        asked = replace(asked, lines=tuple(replace(line, agreed_price=None) for line in asked.lines))
    return quote(facts, sku, asked)


def _replaced(policy: Any, by_id: Any, line: Any) -> Any:
    result = _joined(policy, by_id, line)
    return result if isinstance(result, Breach) else replace(result, quantity=line.quantity)


def _one_piece_short(right: Handler, state: Any, message: Any) -> Decision[Any]:
    decision = right(state, message)
    short = tuple(
        type(out)(out.topic, out.key, replace(out.data, quantity=out.data.quantity - 1)) if at == 0 else out
        for at, out in enumerate(decision.outputs)
    )
    return Decision(decision.state, short)


def _last_price_lost(right: Handler, state: Any, message: Any) -> Decision[Any]:
    if state is not None and state.lines:
        *kept, last = state.lines
        state = replace(state, lines=(*kept, replace(last, agreed_price=None)))
    return right(state, message)


ARITHMETIC: tuple[Mutation, ...] = (
    in_handler(
        "release-the-first-line",
        "inventory/stock",
        t.INVENTORY_RELEASE,
        "a release gives back the first line's pieces only, where an order has several lines of a SKU",
        _first_line_released,
    ),
    in_handler(
        "restore-loses-a-price",
        "cart",
        t.CART_RESTORE,
        "a cart that is given back has lost the agreed price of its last line",
        _last_price_lost,
    ),
    in_handler(
        "return-a-piece-short",
        "inventory/allocation",
        t.ORDER_RETURNED,
        "a return's receipt is one piece short",
        _one_piece_short,
    ),
    Mutation(
        "charge-once",
        "streams/inventory/allocation",
        "a charge that is made twice is charged once",
        Parts(),
        ((allocation, "reserved", _charged_once),),
    ),
    Mutation(
        "a-penny-low",
        "streams/inventory/allocation",
        "an order's total is a penny less than its lines and charges",
        Parts(),
        ((allocation, "reserved", _penny_low),),
    ),
    Mutation(
        "agreed-price-of-one-line-only",
        "streams/inventory/stock",
        "an agreed price is ignored where an order has several lines of a SKU",
        Parts(),
        ((stock, "quote", _listed_where_several),),
    ),
    Mutation(
        "adding-replaces",
        "streams/cart",
        "adding to a line replaces its quantity",
        Parts(),
        ((cart_lines, "_joined", _replaced),),
    ),
)
