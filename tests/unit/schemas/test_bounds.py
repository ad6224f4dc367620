"""Which commands the dataflow takes: each bound, at its edge and past it; and that events stay readable."""

from typing import Any

import msgspec
import pytest

from schemas.bounds import AMOUNT, CHARGES, LINES, PIECES, PRICE, TIME
from schemas.cart import CartAdd, CartLine, CartMerge
from schemas.check import OutOfBoundsError, check_of
from schemas.checkout import Address, Charge, CheckoutRequested, Consent
from schemas.envelope import Message, fresh_id
from schemas.order import OrderKind, OrderReturn, OrderSnapshot, OrderStatus
from streams.flows import FLOWS, WORKER_FLOWS
from streams.kernel.driver import Driver
from topics.command import command
from topics.registry import CHECKOUT_REQUESTED, ORDER_PLACED, TOPICS
from topics.topic import Kind
from topics.wire import decode, encode

CART_ID = fresh_id()
LAST_64_BITS = 2**63 - 1


def asked(**given: Any) -> Message[CheckoutRequested]:
    envelope = {name: given.pop(name) for name in list(given) if name in Message.__struct_fields__}
    fields: dict[str, Any] = {"order_id": fresh_id(), "currency": "GBP", "payment_token": "tok"}
    message = command(CHECKOUT_REQUESTED, CART_ID, CheckoutRequested(**(fields | given)))
    return msgspec.structs.replace(message, **envelope)


def check(message: Message[Any], *, ids: bool = True) -> None:
    check_of(type(message.data), ids=ids, keyed_by_id=True)(message)


def home(**given: str) -> Address:
    return Address(**{"name": "Ada", "country": "GB", **given})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"address": home(line1="12\0 St James")}, "address.line1: no NUL, not '12"),
        ({"address": home(city="x" * 201)}, "address.city: at most 200 characters, not 201 characters"),
        ({"order_id": "order-1"}, "order_id: must be a UUID, not 'order-1'"),
        ({"aggregate_id": "cart"}, "aggregate_id: must be a UUID, not 'cart'"),
        ({"correlation_id": "x"}, "correlation_id: must be a UUID"),
        ({"user_id": "ann\0"}, "user_id: must be a UUID"),
        ({"event_id": ""}, "event_id: must be a UUID"),
        ({"tenant_id": "\0"}, "tenant_id: no NUL"),
        ({"placed_at": TIME.most + 1}, f"placed_at: from 0 to {TIME.most}"),
        ({"placed_at": -62_135_596_800_000}, "placed_at: from 0 to"),
        ({"occurred_at": 2**62}, "occurred_at: from 0 to"),
        ({"email": "x" * 255}, "email: at most 254"),
        (
            {"charges": (Charge("POST", "", 1, 2**62),)},
            r"charges\[\].amount: from -10000000000 to 10000000000",
        ),
        ({"charges": (Charge("POST", "", 2**40, 1),)}, r"charges\[\].quantity: from -100000 to 100000"),
        ({"charges": (Charge("P\0", "", 1, 1),)}, r"charges\[\].code: no NUL"),
        ({"charges": (Charge("POST", "", 1, 1),) * 1_001}, "charges: at most 1000 items, not 1001"),
        ({"expected_lines": -1}, "expected_lines: from 0"),
    ],
)
def test_what_a_later_step_could_not_take_is_named_with_its_rule(given: dict[str, Any], said: str) -> None:
    with pytest.raises(OutOfBoundsError, match=said):
        check(asked(**given))


def test_everything_up_to_the_bounds_is_taken() -> None:
    check(
        asked(
            user_id=fresh_id().upper(),
            address=home(line1="x" * 200, city="\N{SNOWMAN}"),
            charges=(Charge("POST", "", PIECES.most, AMOUNT.most), Charge("D", "", 1, AMOUNT.least)),
            placed_at=TIME.most,
        )
    )
    check(asked(placed_at=0))


def test_what_a_buyer_agreed_to_is_within_its_bounds() -> None:
    with pytest.raises(OutOfBoundsError, match=r"consent.cart_version: from 0"):
        check(asked(consent=Consent(-1, 5)))
    line = CartLine("A", "A", 1, incarnation=-1)
    with pytest.raises(OutOfBoundsError, match=r"lines\[\].incarnation: from 0"):
        check(command(TOPICS["ecommerce.cart.add"], CART_ID, CartAdd((line,))))


def test_ids_are_any_short_text_where_a_test_names_its_carts() -> None:
    check(asked(order_id="order-1", aggregate_id="cart"), ids=False)
    with pytest.raises(OutOfBoundsError, match="order_id: no NUL"):
        check(asked(order_id="order\0"), ids=False)
    with pytest.raises(OutOfBoundsError, match="into_cart_id: at most"):
        check(command(TOPICS["ecommerce.cart.merge"], CART_ID, CartMerge("x" * 201)), ids=False)


def test_the_largest_order_has_a_total() -> None:
    goods = LINES.most * PIECES.most * PRICE.most
    assert goods + CHARGES.most * PIECES.most * AMOUNT.most <= LAST_64_BITS


BY_THE_DOMAIN = {"quantity", "agreed_price", "price", "low_stock_threshold", "amount", "attempt"}
"""Numbers that the flow's own rules refuse, with a reason for people, or that a flow of ours works out."""


@pytest.mark.parametrize("topic", [each for each in TOPICS.values() if each.kind is Kind.COMMAND])
def test_every_text_and_number_of_a_command_is_bounded(topic: Any) -> None:
    """What nobody bounds would reach the views with whatever it holds."""

    def unbounded(of: Any, path: str) -> list[str]:
        if hasattr(of, "__metadata__"):
            of = of.__origin__ if of.__origin__ not in (str, int) else bool
        if of in (str, int):
            return [path]
        if isinstance(of, type) and issubclass(of, msgspec.Struct):
            fields = msgspec.structs.fields(of)
            return [found for each in fields for found in unbounded(each.type, f"{path}.{each.name}")]
        return [found for each in getattr(of, "__args__", ()) for found in unbounded(each, path)]

    found = [
        each for each in unbounded(topic.data, topic.name) if each.rpartition(".")[2] not in BY_THE_DOMAIN
    ]
    assert found == []


def test_events_of_an_older_release_stay_readable_whatever_they_hold() -> None:
    old = OrderSnapshot(
        OrderKind.SALE, OrderStatus.PLACED, "cart", None, None, home(line1="\0"), "GBP", (),
        (Charge("\0", "x" * 1_000, 2**40, 2**62),), 0, 0, 0, None, 2**62, -1,
    )  # fmt: skip
    message = command(ORDER_PLACED, "order-1", old)
    assert decode(ORDER_PLACED, encode(ORDER_PLACED, message)).data == old


def test_the_lines_of_returns_and_adds_are_looked_at() -> None:
    line = CartLine("a\0", "A", 1)
    with pytest.raises(OutOfBoundsError, match=r"lines\[\].line_id: no NUL"):
        check(command(TOPICS["ecommerce.cart.add"], CART_ID, CartAdd((line,))))
    taken = OrderReturn("GBP", (), (), "tok", placed_at=TIME.most + 1)
    with pytest.raises(OutOfBoundsError, match="placed_at"):
        check(command(TOPICS["ecommerce.order.return"], CART_ID, taken))


async def test_a_worker_asks_for_ids_and_a_test_need_not() -> None:
    assert {flow.name for flow in WORKER_FLOWS if flow.ids} == {flow.name for flow in FLOWS if not flow.ids}
    added = CartAdd((CartLine("A", "A", 1),))
    async with Driver(*WORKER_FLOWS) as driver:
        await driver.send(TOPICS["ecommerce.cart.add"], "cart-1", added)
        (letter,) = driver.dead_letters("cart")
    assert letter.headers["reason"] == "out_of_bounds"
    assert letter.headers["error"] == "aggregate_id: must be a UUID, not 'cart-1'"
    async with Driver(*FLOWS) as driver:
        await driver.send(TOPICS["ecommerce.cart.add"], "cart-1", added)
        assert not driver.dead_letters("cart")


async def test_what_could_be_in_no_view_is_refused_before_anything_is_charged() -> None:
    async with Driver(*WORKER_FLOWS) as driver:
        cart = fresh_id()
        await driver.send(TOPICS["ecommerce.cart.add"], cart, CartAdd((CartLine("A", "A", 1),)))
        for given in (
            {"address": home(line1="\0")},
            {"order_id": "order-1"},
            {"placed_at": 2**53},
            {"charges": (Charge("POST", "", 1, 2**62),)},
        ):
            await driver.send(CHECKOUT_REQUESTED, cart, asked(**given).data)
        assert len(driver.dead_letters("checkout")) == 4
        assert driver.events(TOPICS["ecommerce.checkout.started"]) == []
        good = asked(charges=(Charge("POST", "", PIECES.most, AMOUNT.most),)).data
        await driver.send(CHECKOUT_REQUESTED, cart, good)
        assert len(driver.events(TOPICS["ecommerce.checkout.started"])) == 1, "the cart was not frozen"
