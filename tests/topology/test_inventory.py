"""Inventory's flows on the driver: what needs timers, a crash, or a record that nobody can read."""

import msgspec
import pytest

from schemas.inventory import (
    InventoryAdjust,
    InventoryCommit,
    InventoryReceive,
    InventoryRelease,
    InventoryReserve,
    RequestedLine,
)
from schemas.order import OrderKind, OrderLine, OrderSnapshot, OrderStatus
from schemas.product import ProductSnapshot
from streams.inventory.allocation.agent import FLOW as ALLOCATION_FLOW
from streams.inventory.allocation.agent import POLICY as ALLOCATION_POLICY
from streams.inventory.stock.agent import FLOW as STOCK_FLOW
from streams.inventory.stock.agent import POLICY as STOCK_POLICY
from streams.kernel.driver import Driver
from streams.kernel.memory import Step
from tables.inventory.allocation import ALLOCATION
from tables.inventory.stock import STOCK
from topics.registry import (
    INVENTORY_ADJUST,
    INVENTORY_COMMIT,
    INVENTORY_LINE_REJECTED,
    INVENTORY_LINE_RESERVED,
    INVENTORY_LOW_STOCK,
    INVENTORY_RECEIVE,
    INVENTORY_REFUSED,
    INVENTORY_REJECTED,
    INVENTORY_RELEASE,
    INVENTORY_RESERVE,
    INVENTORY_RESERVED,
    INVENTORY_UPDATED,
    ORDER_CANCELLED,
    ORDER_PLACED,
    ORDER_RETURNED,
    PRODUCT_CREATED,
)

SKU, ORDER = "85123A", "order-1"


def product(sku: str = SKU) -> ProductSnapshot:
    return ProductSnapshot(sku, "", (), 295, "GBP", 3, active=True, created_at=0, updated_at=0)


def order(*lines: tuple[str, str, int], kind: OrderKind = OrderKind.SALE) -> OrderSnapshot:
    return OrderSnapshot(
        kind=kind,
        status=OrderStatus.PLACED,
        cart_id="cart-1",
        user_id="user-1",
        email=None,
        address=None,
        currency="GBP",
        lines=tuple(OrderLine(line_id, sku, quantity) for line_id, sku, quantity in lines),
        charges=(),
        goods=0,
        charged=0,
        total=0,
        payment_token="tok_visa",
        placed_at=0,
        updated_at=0,
    )


async def stocked(driver: Driver, pieces: int, sku: str = SKU) -> None:
    await driver.send(PRODUCT_CREATED, sku, product(sku))
    await driver.send(INVENTORY_RECEIVE, sku, InventoryReceive("opening", pieces, "opening"))


async def reserve(driver: Driver, quantity: int, order_id: str = ORDER) -> None:
    data = InventoryReserve(order_id, "GBP", (RequestedLine("line-1", quantity),))
    await driver.send(INVENTORY_RESERVE, SKU, data)


async def test_levels_and_low_stock_are_told_as_they_happen() -> None:
    async with Driver(STOCK_FLOW) as driver:
        await stocked(driver, 5)
        await reserve(driver, 2)
        await driver.send(INVENTORY_COMMIT, SKU, InventoryCommit(ORDER))
        await driver.send(INVENTORY_ADJUST, SKU, InventoryAdjust("count-1", -4, "lost"))
        updated = driver.events(INVENTORY_UPDATED)
        levels = [(said.data.on_hand, said.data.reserved, said.data.movement.kind) for said in updated]
        assert levels == [(5, 0, "receive"), (5, 2, "reserve"), (3, 0, "commit")]
        assert [said.aggregate_version for said in updated] == [1, 2, 3]
        assert [said.data.available for said in driver.events(INVENTORY_LOW_STOCK)] == [3]
        assert [said.data.reason for said in driver.events(INVENTORY_REFUSED)] == ["below_reserved"]


async def test_the_product_may_come_after_its_stock() -> None:
    async with Driver(STOCK_FLOW) as driver:
        await driver.send(INVENTORY_RECEIVE, SKU, InventoryReceive("opening", 5, "opening"))
        await reserve(driver, 1)
        assert [said.data.reason for said in driver.events(INVENTORY_LINE_REJECTED)] == ["unknown_sku"]
        await driver.send(PRODUCT_CREATED, SKU, product())
        await reserve(driver, 1)
        assert len(driver.events(INVENTORY_LINE_RESERVED)) == 1


async def test_markers_stay_their_time_and_are_swept() -> None:
    async with Driver(STOCK_FLOW) as driver:
        await driver.send(INVENTORY_RELEASE, SKU, InventoryRelease(ORDER, "cancelled"))
        await stocked(driver, 5)
        await driver.advance(STOCK_POLICY.marker_retention_ms - 1)
        await reserve(driver, 1)
        assert [said.data.reason for said in driver.events(INVENTORY_LINE_REJECTED)] == ["released"]
        await driver.advance(STOCK_POLICY.marker_sweep_ms + 1)
        stock = driver.table(STOCK)[SKU]
        assert (len(stock.orders), driver.parts(STOCK)) == (0, {})


async def test_an_order_that_cannot_be_had_leaves_nothing_reserved_and_then_no_trace() -> None:
    async with Driver(STOCK_FLOW, ALLOCATION_FLOW, partitions=3) as driver:
        for sku in ("A", "B", "C"):
            await stocked(driver, 5, sku)
        await driver.send(ORDER_PLACED, ORDER, order(("1", "A", 2), ("2", "B", 9), ("3", "C", 5)))
        (rejected,) = driver.events(INVENTORY_REJECTED)
        assert (rejected.data.sku, rejected.data.requested, rejected.data.available) == ("B", 9, 5)
        assert all(stock.reserved == 0 for stock in driver.table(STOCK).values())
        await driver.advance(ALLOCATION_POLICY.retention_ms)
        assert ORDER not in driver.table(ALLOCATION)


async def test_a_cancellation_that_overtakes_its_order_keeps_it_from_reserving() -> None:
    async with Driver(STOCK_FLOW, ALLOCATION_FLOW) as driver:
        await stocked(driver, 5)
        snapshot = order(("1", SKU, 2))
        await driver.send(ORDER_CANCELLED, ORDER, snapshot)
        await driver.send(ORDER_PLACED, ORDER, snapshot)
        assert driver.events(INVENTORY_RESERVE) == []
        assert driver.table(STOCK)[SKU].reserved == 0


async def test_a_return_is_taken_in_once() -> None:
    async with Driver(STOCK_FLOW, ALLOCATION_FLOW) as driver:
        came_back = order(("1", "A", 2), ("2", "A", 1), kind=OrderKind.RETURN)
        await driver.send(ORDER_RETURNED, "return-1", came_back)
        await driver.send(ORDER_RETURNED, "return-1", came_back)
        assert driver.table(STOCK)["A"].on_hand == 3
        await driver.advance(ALLOCATION_POLICY.retention_ms)
        await driver.send(ORDER_RETURNED, "return-1", came_back)
        assert driver.table(STOCK)["A"].on_hand == 3


async def test_a_sale_without_a_payment_token_is_dead_lettered_with_the_field() -> None:
    async with Driver(ALLOCATION_FLOW) as driver:
        unpayable = msgspec.structs.replace(order(("1", SKU, 1)), payment_token=None)
        await driver.send(ORDER_PLACED, ORDER, unpayable)
        (letter,) = driver.dead_letters("order")
        assert "payment_token is required" in " ".join(letter.headers.values())
        assert driver.table(ALLOCATION) == {}


@pytest.mark.parametrize("step", list(Step))
async def test_a_crash_at_any_step_reserves_once(step: Step) -> None:
    async with Driver(STOCK_FLOW, ALLOCATION_FLOW) as driver:
        await stocked(driver, 5)
        driver.crash_at(step)
        await driver.send(ORDER_PLACED, ORDER, order(("1", SKU, 2)))
        assert driver.crashes == 1
        assert driver.table(STOCK)[SKU].reserved == 2
        assert len({said.event_id for said in driver.events(INVENTORY_RESERVED)}) == 1


@pytest.mark.parametrize("wipe", [True, False])
@pytest.mark.parametrize("step", list(Step))
async def test_reservations_outlive_a_crash_each_by_itself(step: Step, *, wipe: bool) -> None:
    async with Driver(STOCK_FLOW, partitions=1) as driver:
        await stocked(driver, 9)
        for order_id in ("order-a", "order-b"):
            await reserve(driver, 2, order_id)
        driver.crash_at(step, wipe=wipe)
        await reserve(driver, 2, "order-c")
        assert driver.crashes == 1
        await reserve(driver, 2, "order-a")
        await driver.send(INVENTORY_COMMIT, SKU, InventoryCommit("order-a"))
        await driver.send(INVENTORY_RELEASE, SKU, InventoryRelease("order-c", "cancelled"))
        stock = driver.table(STOCK)[SKU]
        assert (stock.on_hand, stock.reserved, stock.open) == (7, 2, 1)
        answers = {said.aggregate_id for said in driver.events(INVENTORY_LINE_RESERVED)}
        assert answers == {"order-a", "order-b", "order-c"}
