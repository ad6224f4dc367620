"""The purchase path over all flows: the happy way, every compensation, and whatever comes late."""

from schemas.cart import CartLine, CartMerge, CartStatus
from schemas.checkout import Charge
from schemas.order import OrderAdvance, OrderCancel, OrderLine, OrderReturn, OrderStatus
from tables.cart import CART
from tables.order import ORDER
from tests.topology.shop import DAY, MINUTE, Shop
from topics.registry import (
    CART_MERGE,
    CART_UPDATED,
    CHECKOUT_COMPLETED,
    CHECKOUT_FAILED,
    CHECKOUT_REQUESTED,
    CHECKOUT_STARTED,
    ORDER_ADVANCE,
    ORDER_CANCEL,
    ORDER_CANCELLED,
    ORDER_CONFIRMED,
    ORDER_REFUNDED,
    ORDER_REJECTED,
    ORDER_RETURN,
    ORDER_RETURNED,
    ORDER_SHIPPED,
    PAYMENT_CAPTURED,
    PAYMENT_INSTRUCT,
    PAYMENT_VOIDED,
)

POSTAGE = Charge("POST", "Postage", 1, 250)


def line(sku: str, quantity: int = 1, **more: int) -> CartLine:
    return CartLine(sku, sku, quantity, **more)


async def test_a_purchase_is_confirmed_captured_and_leaves_an_empty_cart() -> None:
    async with Shop() as shop:
        await shop.stock("A", 10, price=300)
        await shop.stock("B", 10, price=150)
        await shop.fill("cart", line("A", 2), line("B"), user_id="ann")
        await shop.buy("cart", "order", user_id="ann", charges=(POSTAGE,))
        order = shop.only(ORDER_CONFIRMED)
        assert order.data.total == 2 * 300 + 150 + 250
        assert order.user_id == "ann"
        assert [line.name for line in order.data.lines] == ["Product A", "Product B"]
        assert shop.only(CHECKOUT_COMPLETED).data.total == order.data.total
        assert shop.account("order").captured == order.data.total
        cart = shop.driver.table(CART)["cart"]
        assert (cart.status, cart.lines) == (CartStatus.OPEN, ())
        shop.check()


async def test_an_agreed_price_is_the_price() -> None:
    async with Shop() as shop:
        await shop.stock("A", 10, price=300)
        await shop.fill("cart", line("A", 2, agreed_price=250))
        await shop.buy("cart", "order")
        assert shop.only(ORDER_CONFIRMED).data.total == 500
        shop.check()


async def test_charges_alone_are_an_order() -> None:
    async with Shop() as shop:
        await shop.buy("cart", "order", charges=(POSTAGE,), expected_lines=0)
        assert shop.only(ORDER_CONFIRMED).data.total == 250
        shop.check()


async def test_what_is_out_of_stock_cancels_the_order_and_restores_the_cart() -> None:
    async with Shop() as shop:
        await shop.stock("A", 10)
        await shop.stock("B", 1)
        await shop.fill("cart", line("A", 2), line("B", 2))
        await shop.buy("cart", "order")
        failed = shop.only(CHECKOUT_FAILED).data
        assert (failed.reason, failed.sku) == ("out_of_stock", "B")
        assert shop.only(ORDER_CANCELLED).data.reason == "out_of_stock"
        cart = shop.driver.table(CART)["cart"]
        assert (cart.status, cart.lines) == (CartStatus.OPEN, (line("A", 2), line("B", 2)))
        assert shop.provider.accounts == {}
        shop.check()


async def test_an_unknown_product_cannot_be_bought() -> None:
    async with Shop() as shop:
        await shop.fill("cart", line("NONE"))
        await shop.buy("cart", "order")
        assert shop.only(CHECKOUT_FAILED).data.reason == "unknown_sku"
        shop.check()


async def test_a_declined_payment_leaves_stock_and_cart_as_they_were() -> None:
    async with Shop() as shop:
        await shop.stock("A", 10)
        await shop.fill("cart", line("A", 2))
        await shop.buy("cart", "order", token="tok_declined")
        order = shop.only(ORDER_CANCELLED).data
        assert (order.reason, order.detail) == ("payment_failed", "card_declined")
        assert shop.driver.table(CART)["cart"].lines == (line("A", 2),)
        shop.check()
        await shop.buy("cart", "order-2")
        assert shop.status("order-2") is OrderStatus.CONFIRMED
        shop.check()


async def test_a_payment_that_cannot_be_captured_undoes_the_confirmed_order() -> None:
    async with Shop() as shop:
        await shop.stock("A", 10)
        await shop.fill("cart", line("A", 2))
        await shop.buy("cart", "order", token="tok_uncaptured")
        assert shop.only(ORDER_CANCELLED).data.reason == "capture_failed"
        assert shop.events(CHECKOUT_FAILED) == []
        shop.check()


async def test_an_outage_is_waited_out() -> None:
    async with Shop() as shop:
        await shop.stock("A", 10)
        await shop.fill("cart", line("A"))
        shop.provider.up = False
        await shop.buy("cart", "order")
        await shop.advance(5 * MINUTE)
        assert shop.status("order") is OrderStatus.PLACED
        shop.provider.up = True
        await shop.advance(5 * MINUTE)
        assert shop.status("order") is OrderStatus.CONFIRMED
        shop.check()


async def test_an_outage_past_the_deadline_cancels_the_order() -> None:
    async with Shop() as shop:
        await shop.stock("A", 10)
        await shop.fill("cart", line("A"))
        shop.provider.up = False
        await shop.buy("cart", "order")
        await shop.advance(16 * MINUTE)
        assert shop.only(CHECKOUT_FAILED).data.reason == "deadline_exceeded"
        shop.provider.up = True
        await shop.advance(30 * MINUTE)
        assert shop.status("order") is OrderStatus.CANCELLED
        shop.check()


async def test_what_timers_bring_goes_on_in_the_checkouts_name() -> None:
    async with Shop() as shop:
        await shop.stock("A", 10)
        await shop.fill("cart", line("A"))
        shop.answering = False
        await shop.buy("cart", "order")
        await shop.advance(20 * MINUTE)
        shop.answering = True
        await shop.advance(20 * MINUTE)
        asked = shop.events(PAYMENT_INSTRUCT)
        assert {message.data.operation for message in asked} == {"authorise", "void"}
        assert shop.only(CHECKOUT_FAILED).data.reason == "deadline_exceeded"
        told = {message.correlation_id for message in asked}
        told |= {shop.only(CHECKOUT_FAILED).correlation_id, shop.only(PAYMENT_VOIDED).correlation_id}
        assert told == {shop.only(CHECKOUT_REQUESTED).correlation_id}
        shop.check()


async def test_an_answer_that_comes_after_the_deadline_is_undone() -> None:
    async with Shop() as shop:
        await shop.stock("A", 10)
        await shop.fill("cart", line("A"))
        shop.answering = False
        await shop.buy("cart", "order")
        await shop.advance(16 * MINUTE)
        assert shop.only(ORDER_CANCELLED).data.reason == "deadline_exceeded"
        shop.answering = True
        await shop.advance(60 * MINUTE)
        assert shop.events(ORDER_CONFIRMED) == []
        shop.check()


async def test_a_cancellation_before_the_payment_is_known_takes_nothing() -> None:
    async with Shop() as shop:
        await shop.stock("A", 10)
        await shop.fill("cart", line("A"), user_id="ann")
        shop.answering = False
        await shop.buy("cart", "order", user_id="ann")
        await shop.say(ORDER_CANCEL, "order", OrderCancel("too slow"), user_id="ann")
        assert shop.only(CHECKOUT_FAILED).data.reason == "cancelled_by_customer"
        assert shop.driver.table(CART)["cart"].lines == (line("A"),)
        shop.answering = True
        await shop.advance(30 * MINUTE)
        shop.check()


async def test_a_cancellation_after_confirmation_gives_goods_and_money_back() -> None:
    async with Shop() as shop:
        await shop.stock("A", 10)
        await shop.fill("cart", line("A", 4), user_id="ann")
        await shop.buy("cart", "order", user_id="ann")
        await shop.say(ORDER_CANCEL, "order", OrderCancel("wrong size"), user_id="ann")
        assert shop.status("order") is OrderStatus.CANCELLED
        assert shop.account("order").given_back == 400
        assert shop.events(CHECKOUT_FAILED) == []
        shop.check()


async def test_a_foreign_order_cannot_be_cancelled() -> None:
    async with Shop() as shop:
        await shop.stock("A", 10)
        await shop.fill("cart", line("A"), user_id="ann")
        await shop.buy("cart", "order", user_id="ann")
        await shop.say(ORDER_CANCEL, "order", OrderCancel("mine now"), user_id="bob")
        assert shop.only(ORDER_REJECTED).data.reason == "forbidden"
        assert shop.status("order") is OrderStatus.CONFIRMED
        shop.check()


async def test_two_shoppers_race_for_the_last_piece_and_one_gets_it() -> None:
    async with Shop() as shop:
        await shop.stock("A", 1)
        for who in ("ann", "bob"):
            await shop.fill(f"cart-{who}", line("A"), user_id=who)
        for who in ("ann", "bob"):
            await shop.buy(f"cart-{who}", f"order-{who}", user_id=who, settle=False)
        await shop.settle()
        assert len(shop.events(ORDER_CONFIRMED)) == 1
        assert shop.only(ORDER_CANCELLED).data.reason == "out_of_stock"
        shop.check()


async def test_a_guests_cart_is_bought_after_login() -> None:
    async with Shop() as shop:
        await shop.stock("A", 10)
        await shop.stock("B", 10)
        await shop.fill("cart-ann", line("A"), user_id="ann")
        await shop.fill("guest", line("A", 2), line("B"))
        await shop.say(CART_MERGE, "guest", CartMerge("cart-ann"), user_id="ann")
        await shop.buy("cart-ann", "order", user_id="ann", expected_lines=2)
        assert [(line.sku, line.quantity) for line in shop.only(ORDER_CONFIRMED).data.lines] == [
            ("A", 3),
            ("B", 1),
        ]
        assert shop.events(CART_UPDATED)[-1].data.lines == ()
        shop.check()


async def test_a_checkout_that_overtakes_its_lines_waits_for_them() -> None:
    async with Shop() as shop:
        await shop.stock("A", 10)
        await shop.buy("cart", "order", expected_lines=1)
        assert shop.events(CHECKOUT_STARTED) == []
        await shop.fill("cart", line("A"))
        assert shop.status("order") is OrderStatus.CONFIRMED
        shop.check()


async def test_a_checkout_whose_lines_never_come_fails() -> None:
    async with Shop() as shop:
        await shop.buy("cart", "order", expected_lines=1)
        await shop.advance(15 * MINUTE)
        assert shop.only(CHECKOUT_FAILED).data.reason == "incomplete_cart"
        requested, failed = shop.only(CHECKOUT_REQUESTED), shop.only(CHECKOUT_FAILED)
        assert failed.correlation_id == requested.correlation_id
        shop.check()


async def test_the_same_order_from_two_carts_is_one_order() -> None:
    async with Shop() as shop:
        await shop.stock("A", 10)
        for cart_id in ("one", "two"):
            await shop.fill(cart_id, line("A"))
            await shop.buy(cart_id, "order")
        assert shop.status("order") is OrderStatus.CONFIRMED
        assert shop.driver.table(CART)["two"].lines == (line("A"),)
        assert len(shop.events(CHECKOUT_COMPLETED)) == 1


async def test_an_order_goes_its_way_to_the_customer_and_back() -> None:
    async with Shop() as shop:
        await shop.stock("A", 10)
        await shop.fill("cart", line("A"), user_id="ann")
        await shop.buy("cart", "order", user_id="ann")
        for status in (OrderStatus.PROCESSING, OrderStatus.SHIPPED, OrderStatus.DELIVERED):
            await shop.say(ORDER_ADVANCE, "order", OrderAdvance(status), user_id="staff")
            assert shop.status("order") is status
        await shop.say(ORDER_CANCEL, "order", OrderCancel("too late"), user_id="ann")
        assert shop.only(ORDER_REJECTED).data.reason == "illegal_move"
        await shop.say(ORDER_ADVANCE, "order", OrderAdvance(OrderStatus.REFUNDED), user_id="staff")
        assert shop.only(ORDER_REFUNDED).user_id == "ann"
        assert shop.account("order").given_back == 100
        shop.check()


async def test_a_shipment_waits_for_the_money() -> None:
    async with Shop() as shop:
        await shop.stock("A", 10)
        await shop.fill("cart", line("A"))
        await shop.buy("cart", "order", settle=False)
        await shop.driver.settle()
        await shop.answer()
        shop.provider.up = False
        await shop.settle()
        assert shop.status("order") is OrderStatus.CONFIRMED
        for status in (OrderStatus.PROCESSING, OrderStatus.SHIPPED):
            await shop.say(ORDER_ADVANCE, "order", OrderAdvance(status), user_id="staff")
        assert shop.status("order") is OrderStatus.PROCESSING
        shop.provider.up = True
        await shop.advance(5 * MINUTE)
        assert len(shop.events(PAYMENT_CAPTURED)) == len(shop.events(ORDER_SHIPPED)) == 1
        shop.check()


async def test_returned_goods_and_money_go_back() -> None:
    async with Shop() as shop:
        await shop.stock("A", 10)
        data = OrderReturn("GBP", (OrderLine("1", "A", 2, "Product A", 100),), (POSTAGE,), "tok_visa")
        await shop.say(ORDER_RETURN, "return", data, user_id="ann")
        assert shop.only(ORDER_RETURNED).data.total == 450
        assert shop.only(ORDER_REFUNDED).data.total == 450
        assert shop.account("return").given_back == 450
        shop.check()


async def test_ended_orders_and_empty_carts_leave_the_tables() -> None:
    async with Shop() as shop:
        await shop.stock("A", 1)
        for who in ("ann", "bob"):
            await shop.fill(f"cart-{who}", line("A"), user_id=who)
            await shop.buy(f"cart-{who}", f"order-{who}", user_id=who)
        await shop.driver.advance(61 * MINUTE)
        assert set(shop.driver.table(ORDER)) == {"order-ann"}
        await shop.driver.advance(DAY)
        assert set(shop.driver.table(CART)) == {"cart-bob"}
        await shop.driver.advance(8 * DAY)
        assert shop.driver.table(CART) == {}
        shop.check()
