"""Payment's flow on the driver: waits, silence, refusals, and the way out of the table."""

from itertools import pairwise

import pytest

from schemas.envelope import Message
from schemas.inventory import InventoryReserved
from schemas.order import OrderKind, OrderSnapshot, OrderStatus
from schemas.payment import (
    PaymentInstruction,
    PaymentOperation,
    PaymentOutcome,
    PaymentRefund,
    PaymentStatus,
    ProviderOutcome,
)
from streams.kernel.driver import Driver
from streams.kernel.memory import Step
from streams.payment.agent import FLOW, POLICY
from tables.payment import PAYMENT
from topics.registry import (
    INVENTORY_RESERVED,
    ORDER_CANCELLED,
    ORDER_CONFIRMED,
    ORDER_DELIVERED,
    ORDER_RETURNED,
    PAYMENT_CAPTURED,
    PAYMENT_COMPLETED,
    PAYMENT_FAILED,
    PAYMENT_INSTRUCT,
    PAYMENT_OUTCOME,
    PAYMENT_REFUND,
    PAYMENT_REFUNDED,
    PAYMENT_VOIDED,
)

ORDER = "order-1"
APPROVED, DECLINED, UNAVAILABLE = (
    ProviderOutcome.APPROVED,
    ProviderOutcome.DECLINED,
    ProviderOutcome.UNAVAILABLE,
)


def order(status: OrderStatus, kind: OrderKind = OrderKind.SALE) -> OrderSnapshot:
    return OrderSnapshot(
        kind=kind,
        status=status,
        cart_id="cart-1",
        user_id="user-1",
        email=None,
        address=None,
        currency="GBP",
        lines=(),
        charges=(),
        goods=3270,
        charged=0,
        total=3270,
        payment_token="tok_visa",
        placed_at=0,
        updated_at=0,
    )


async def reserved(driver: Driver, total: int = 3270) -> None:
    data = InventoryReserved("cart-1", "user-1", "GBP", (), (), total, 0, total, "tok_visa")
    await driver.send(INVENTORY_RESERVED, ORDER, data)


def asked(driver: Driver) -> list[PaymentInstruction]:
    return [said.data for said in driver.events(PAYMENT_INSTRUCT)]


async def answer(
    driver: Driver, outcome: ProviderOutcome, reason: str | None = None
) -> Message[PaymentOutcome]:
    last = asked(driver)[-1]
    data = PaymentOutcome(last.operation, last.idempotency_key, outcome, last.attempt, "ref-1", reason)
    return await driver.send(PAYMENT_OUTCOME, ORDER, data)


async def captured(driver: Driver) -> None:
    await reserved(driver)
    await answer(driver, APPROVED)
    await driver.send(ORDER_CONFIRMED, ORDER, order(OrderStatus.CONFIRMED))
    await answer(driver, APPROVED)


async def test_an_outage_is_waited_out_with_growing_patience_under_one_key() -> None:
    async with Driver(FLOW) as driver:
        await reserved(driver)
        began, waits = driver.now, []
        for attempt in range(1, 9):
            assert len(asked(driver)) == attempt
            await answer(driver, UNAVAILABLE, "circuit_open")
            since = driver.now
            while len(asked(driver)) == attempt:
                await driver.advance(100)
                assert driver.now - began < 10 * 60_000
            waits.append(driver.now - since)
        assert all(earlier < later for earlier, later in pairwise(waits[:6]))
        assert max(waits) <= POLICY.longest_retry_ms + 100
        assert len({said.idempotency_key for said in asked(driver)}) == 1
        assert [said.attempt for said in asked(driver)] == list(range(1, 10))
        await answer(driver, APPROVED)
        (completed,) = driver.events(PAYMENT_COMPLETED)
        assert completed.data.attempts == 9


async def test_a_silent_gateway_is_asked_again() -> None:
    async with Driver(FLOW) as driver:
        await reserved(driver)
        await driver.advance(POLICY.answer_ms)
        assert [said.attempt for said in asked(driver)] == [1, 2]
        await driver.advance(POLICY.answer_ms)
        assert len(asked(driver)) == 2


async def test_an_unknown_authorisation_is_voided_until_the_provider_is_back() -> None:
    async with Driver(FLOW) as driver:
        await reserved(driver)
        await answer(driver, UNAVAILABLE)
        await driver.send(ORDER_CANCELLED, ORDER, order(OrderStatus.CANCELLED))
        await answer(driver, UNAVAILABLE)
        await driver.advance(2_000)
        await answer(driver, APPROVED)
        assert [said.operation for said in asked(driver)] == ["authorise", "void", "void"]
        (voided,) = driver.events(PAYMENT_VOIDED)
        assert voided.data.status is PaymentStatus.VOIDED
        await driver.advance(POLICY.retention_ms)
        assert driver.table(PAYMENT) == {}
        assert len(asked(driver)) == 3


async def test_a_late_reservation_of_a_cancelled_order_charges_nobody() -> None:
    async with Driver(FLOW) as driver:
        await driver.send(ORDER_CANCELLED, ORDER, order(OrderStatus.CANCELLED))
        await reserved(driver)
        assert asked(driver) == []
        await driver.advance(POLICY.retention_ms)
        assert driver.table(PAYMENT) == {}


async def test_a_delivered_order_can_be_refunded_until_its_window_closes() -> None:
    async with Driver(FLOW) as driver:
        await captured(driver)
        await driver.advance(POLICY.refund_window_ms)
        await driver.send(ORDER_DELIVERED, ORDER, order(OrderStatus.DELIVERED))
        await driver.advance(POLICY.refund_window_ms - 1)
        await driver.send(PAYMENT_REFUND, ORDER, PaymentRefund("damaged"))
        await answer(driver, DECLINED, "card_closed")
        (failed,) = driver.events(PAYMENT_FAILED)
        assert failed.data.status is PaymentStatus.CAPTURED
        await driver.send(PAYMENT_REFUND, ORDER, PaymentRefund("damaged"))
        await answer(driver, APPROVED)
        assert len(driver.events(PAYMENT_REFUNDED)) == 1
        refunds = [said.idempotency_key for said in asked(driver) if said.operation == "refund"]
        assert len(set(refunds)) == 2
        versions = [
            said.aggregate_version
            for topic in (PAYMENT_COMPLETED, PAYMENT_CAPTURED, PAYMENT_FAILED, PAYMENT_REFUNDED)
            for said in driver.events(topic)
        ]
        assert versions == sorted(set(versions))


async def test_a_refund_of_nothing_is_dead_lettered_with_its_reason() -> None:
    async with Driver(FLOW) as driver:
        await driver.send(PAYMENT_REFUND, "order-unknown", PaymentRefund("damaged"))
        await reserved(driver)
        await driver.send(PAYMENT_REFUND, ORDER, PaymentRefund("damaged"))
        errors = [" ".join(letter.headers.values()) for letter in driver.dead_letters("payment")]
        assert "order_id order-unknown has no payment" in errors[0]
        assert "its payment is pending" in errors[1]
        await answer(driver, APPROVED)
        assert len(driver.events(PAYMENT_COMPLETED)) == 1


async def test_a_return_is_credited_and_forgotten() -> None:
    async with Driver(FLOW) as driver:
        await driver.send(ORDER_RETURNED, ORDER, order(OrderStatus.RETURNED, OrderKind.RETURN))
        await answer(driver, APPROVED)
        (back,) = driver.events(PAYMENT_REFUNDED)
        assert (back.data.status, back.data.amount) == (PaymentStatus.CREDITED, 3270)
        await driver.advance(POLICY.retention_ms)
        assert driver.table(PAYMENT) == {}


@pytest.mark.parametrize("step", list(Step))
async def test_a_crash_at_any_step_asks_for_one_charge(step: Step) -> None:
    async with Driver(FLOW) as driver:
        await reserved(driver)
        driver.crash_at(step)
        await answer(driver, APPROVED)
        assert driver.crashes == 1
        await driver.send(ORDER_CONFIRMED, ORDER, order(OrderStatus.CONFIRMED))
        assert {(said.operation, said.attempt) for said in asked(driver)} == {
            (PaymentOperation.AUTHORISE, 1),
            (PaymentOperation.CAPTURE, 1),
        }
        assert len({said.idempotency_key for said in asked(driver)}) == 2
        assert len({said.event_id for said in driver.events(PAYMENT_COMPLETED)}) == 1
