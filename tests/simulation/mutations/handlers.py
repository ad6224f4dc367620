"""Planted bugs of business logic: one handler each."""

from typing import Any

from msgspec.structs import replace

from schemas.cart import CartStatus
from schemas.order import OrderStatus
from streams.inventory.allocation.decide import line_reserved
from streams.inventory.policy import AllocationPolicy
from streams.inventory.stock.markers import held
from streams.kernel.flow import Decision
from streams.product import decide as product
from tables.applied import remembered
from tables.payment import Goal
from tests.simulation.mutations.mutation import Handler, Mutation, both, in_handler
from tests.simulation.settings import Parts
from topics import registry as t
from topics.topic import Topic


def _ignored(_: Handler, state: Any, __: Any) -> Decision[Any]:
    return Decision(state)


def _without(*topics: Topic[Any]) -> Any:
    def change(right: Handler, state: Any, message: Any) -> Decision[Any]:
        decision = right(state, message)
        return Decision(decision.state, tuple(out for out in decision.outputs if out.topic not in topics))

    return change


def _unknown_ignored(right: Handler, state: Any, message: Any) -> Decision[Any]:
    return Decision(None) if state is None else right(state, message)


def _nothing_remembered(right: Handler, state: Any, message: Any) -> Decision[Any]:
    return right(None if state is None else replace(state, applied=()), message)


def _reserved_again(right: Handler, state: Any, message: Any) -> Decision[Any]:
    order_id = message.data.order_id
    if state is not None and held(state, order_id) is not None:
        state = replace(state, open=state.open - 1, orders=state.orders.delete(order_id))
    return right(state, message)


def _unmarked_release(right: Handler, state: Any, message: Any) -> Decision[Any]:
    if state is None or held(state, message.data.order_id) is None:
        return Decision(state)
    return right(state, message)


def _consent_forgotten(right: Handler, state: Any, message: Any) -> Decision[Any]:
    return right(state, replace(message, data=replace(message.data, consented=None)))


def _lower_passes(_: Handler, state: Any, message: Any) -> Decision[Any]:
    return line_reserved(AllocationPolicy(lower_total_passes=True), state, message)


def _kept_on_hand(right: Handler, state: Any, message: Any) -> Decision[Any]:
    decision = right(state, message)
    if decision.state is None or not decision.outputs or state is None:
        return decision
    return Decision(replace(decision.state, on_hand=state.on_hand), decision.outputs)


def _captured_at_once(right: Handler, state: Any, message: Any) -> Decision[Any]:
    decision = right(state, message)
    if state is not None or decision.state is None:
        return decision
    return Decision(replace(decision.state, goal=Goal.CAPTURED), decision.outputs)


def _confirmed_unpaid(right: Handler, state: Any, message: Any) -> Decision[Any]:
    return right(None if state is None else replace(state, authorised=True), message)


def _never_too_late(right: Handler, state: Any, message: Any) -> Decision[Any]:
    if state is not None and state.snapshot.status is OrderStatus.PLACED:
        return Decision(state)
    return right(state, message)


def _same_version(right: Handler, state: Any, message: Any) -> Decision[Any]:
    decision = right(state, message)
    if state is None or decision.state is None:
        return decision
    outputs = tuple(
        _renumbered(out, state.version) if out.version == decision.state.version else out
        for out in decision.outputs
    )
    return Decision(replace(decision.state, version=state.version), outputs)


def _renumbered(out: Any, version: int) -> Any:
    return type(out)(out.topic, out.key, out.data, version, out.user_id)


def _over_sold(right: Handler, state: Any, message: Any) -> Decision[Any]:
    if state is None:
        return right(state, message)
    decision = right(replace(state, on_hand=state.on_hand + 100), message)
    after = decision.state
    return Decision(None if after is None else replace(after, on_hand=state.on_hand), decision.outputs)


def _any_price(right: Handler, state: Any, message: Any) -> Decision[Any]:
    if state is not None and state.facts is not None:
        state = replace(state, facts=replace(state.facts, version=0))
    return right(state, message)


def _refusal_forgotten(right: Handler, state: Any, message: Any) -> Decision[Any]:
    decision = right(state, message)
    refused = any(out.topic is t.INVENTORY_REFUSED for out in decision.outputs)
    return Decision(state, decision.outputs) if refused else decision


def _always_in_time(right: Handler, state: Any, message: Any) -> Decision[Any]:
    return right(state, replace(message, data=replace(message.data, due_at=2**53)))


def _dropped_while_frozen(right: Handler, state: Any, message: Any) -> Decision[Any]:
    if state is not None and state.status is CartStatus.FROZEN:
        return Decision(state)
    return right(state, message)


def _newest_forgotten(applied: tuple[str, ...], command_id: str, limit: int) -> tuple[str, ...]:
    return applied if len(applied) >= limit else remembered(applied, command_id, limit)


HANDLERS: tuple[Mutation, ...] = (
    in_handler(
        "forget-release-on-rejection",
        "inventory/allocation",
        t.INVENTORY_LINE_REJECTED,
        "one SKU is refused, and the order's other SKUs stay reserved",
        _without(t.INVENTORY_RELEASE),
    ),
    in_handler(
        "consent-ignored",
        "inventory/allocation",
        t.ORDER_PLACED,
        "an order is charged what it comes to, whatever its buyer was shown",
        _consent_forgotten,
    ),
    in_handler(
        "lower-total-passes",
        "inventory/allocation",
        t.INVENTORY_LINE_RESERVED,
        "a lower total than the one shown is charged, though the shop did not choose so",
        _lower_passes,
    ),
    in_handler(
        "forget-release-on-cancel",
        "inventory/allocation",
        t.ORDER_CANCELLED,
        "a cancelled order's stock stays reserved",
        _without(t.INVENTORY_RELEASE),
    ),
    in_handler(
        "cancel-without-marker",
        "inventory/allocation",
        t.ORDER_CANCELLED,
        "a cancellation that overtakes its order is forgotten, and the order reserves",
        _unknown_ignored,
    ),
    in_handler(
        "forget-restock",
        "inventory/allocation",
        t.ORDER_CANCELLED,
        "goods committed for a cancelled order do not come back",
        _without(t.INVENTORY_RECEIVE),
    ),
    in_handler(
        "receipt-applied-twice",
        "inventory/stock",
        t.INVENTORY_RECEIVE,
        "a receipt that comes twice is taken in twice",
        _nothing_remembered,
    ),
    in_handler(
        "reserve-applied-twice",
        "inventory/stock",
        t.INVENTORY_RESERVE,
        "a reservation that comes twice is counted twice",
        _reserved_again,
    ),
    both(
        in_handler(
            "release-without-marker",
            "inventory/stock",
            t.INVENTORY_RELEASE,
            "a release that overtakes its reserve leaves no marker, and nobody releases the late one",
            _unmarked_release,
        ),
        in_handler("", "inventory/allocation", t.INVENTORY_LINE_RESERVED, "", _without(t.INVENTORY_RELEASE)),
    ),
    in_handler(
        "commit-keeps-on-hand",
        "inventory/stock",
        t.INVENTORY_COMMIT,
        "committed goods still count as on hand",
        _kept_on_hand,
    ),
    in_handler(
        "over-sold",
        "inventory/stock",
        t.INVENTORY_RESERVE,
        "more is reserved than is there",
        _over_sold,
    ),
    in_handler(
        "capture-without-confirm",
        "payment",
        t.INVENTORY_RESERVED,
        "an authorised payment is captured before its order is confirmed",
        _captured_at_once,
    ),
    in_handler(
        "undo-without-marker",
        "payment",
        t.ORDER_CANCELLED,
        "a cancellation that overtakes the reservation is forgotten, and the customer is charged",
        _unknown_ignored,
    ),
    in_handler(
        "forget-undo",
        "payment",
        t.ORDER_CANCELLED,
        "a cancelled order's money is not given back",
        _ignored,
    ),
    in_handler(
        "forget-capture",
        "payment",
        t.ORDER_CONFIRMED,
        "a confirmed order's payment is not captured",
        _ignored,
    ),
    in_handler(
        "confirm-unpaid",
        "order",
        t.INVENTORY_RESERVED,
        "an order is confirmed with its quote alone, before its payment is authorised",
        _confirmed_unpaid,
    ),
    in_handler(
        "forget-deadline",
        "order",
        t.ORDER_DUE,
        "a checkout that is past its deadline is not cancelled",
        _never_too_late,
    ),
    in_handler(
        "same-version-twice",
        "order",
        t.PAYMENT_COMPLETED,
        "a confirmation does not raise the order's version",
        _same_version,
    ),
    in_handler(
        "forget-cart-restore",
        "cart",
        t.CART_RESTORE,
        "the cart of a failed checkout stays frozen",
        _ignored,
    ),
    in_handler(
        "older-price-wins",
        "inventory/stock",
        t.PRODUCT_UPDATED,
        "an older event of a product replaces what a newer one has said of its price",
        _any_price,
    ),
    in_handler(
        "forget-a-refused-adjustment",
        "inventory/stock",
        t.INVENTORY_ADJUST,
        "an adjustment that was refused is not remembered, and succeeds when it comes again",
        _refusal_forgotten,
    ),
    in_handler(
        "stale-cart-timer",
        "cart",
        t.CART_DUE,
        "a timer that the cart no longer asks for acts all the same",
        _always_in_time,
    ),
    in_handler(
        "stale-order-timer",
        "order",
        t.ORDER_DUE,
        "a timer that the order no longer asks for acts all the same",
        _always_in_time,
    ),
    in_handler(
        "drop-what-comes-while-frozen",
        "cart",
        t.CART_ABSORB,
        "a guest's lines that come while the cart is frozen are dropped",
        _dropped_while_frozen,
    ),
    Mutation(
        "full-ring-forgets-the-newest",
        "streams/product",
        "a product that has answered as many commands as it remembers does not remember the newest",
        Parts(),
        ((product, "remembered", _newest_forgotten),),
    ),
)
