"""The whole shop in memory: every domain's real flow on the driver, a provider, and what must always hold."""

from collections import defaultdict
from collections.abc import Iterable
from itertools import pairwise
from types import TracebackType
from typing import Any, Self, TypeVar

import msgspec

from schemas.cart import CartAdd, CartLine, CartStatus
from schemas.checkout import CheckoutRequested
from schemas.envelope import Message, derived_id, fresh_id
from schemas.inventory import InventoryReceive
from schemas.order import OrderKind, OrderSnapshot, OrderStatus
from schemas.product import ProductCreate
from streams.cart.agent import FLOW as CART_FLOW
from streams.inventory.allocation.agent import FLOW as ALLOCATION_FLOW
from streams.inventory.stock.agent import FLOW as STOCK_FLOW
from streams.kernel.driver import Driver
from streams.kernel.ports import Output
from streams.order.agent import FLOW as ORDER_FLOW
from streams.order.machine import EVENTS, may
from streams.payment.agent import FLOW as PAYMENT_FLOW
from streams.product.agent import FLOW as PRODUCT_FLOW
from tables.cart import CART
from tables.inventory.stock import STOCK
from tests.topology.provider import Account, Provider
from topics.registry import (
    CART_ADD,
    CHECKOUT_COMPLETED,
    CHECKOUT_FAILED,
    CHECKOUT_REQUESTED,
    CHECKOUT_STARTED,
    DEAD_LETTERS,
    INVENTORY_RECEIVE,
    ORDER_CANCELLED,
    ORDER_CONFIRMED,
    ORDER_PLACED,
    ORDER_REFUNDED,
    ORDER_RETURNED,
    PAYMENT_INSTRUCT,
    PAYMENT_OUTCOME,
    PRODUCT_CREATE,
)
from topics.topic import Topic

D = TypeVar("D", bound=msgspec.Struct)

FLOWS = (CART_FLOW, ORDER_FLOW, STOCK_FLOW, ALLOCATION_FLOW, PAYMENT_FLOW, PRODUCT_FLOW)
MINUTE = 60_000
DAY = 86_400_000


class DoublingDriver(Driver):
    """A log on which every output is written twice, as it may be after a crash."""

    async def publish(self, outputs: Iterable[Output]) -> None:
        outputs = list(outputs)
        await super().publish(outputs)
        await super().publish(outputs)


class Shop:
    """A shop to test with; use as an async context manager. `doubled` doubles every message."""

    def __init__(self, *, doubled: bool = False, partitions: int = 2) -> None:
        self.driver = (DoublingDriver if doubled else Driver)(*FLOWS, partitions=partitions)
        self.provider = Provider()
        self.answering = True
        self.opening: dict[str, int] = {}
        self._times = 2 if doubled else 1
        self._read = 0

    async def __aenter__(self) -> Self:
        await self.driver.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.driver.__aexit__(kind, error, trace)

    # -- what people do --------------------------------------------------------------------------------

    async def say(
        self, topic: Topic[D], key: str, data: D, *, user_id: str | None = None, settle: bool = True
    ) -> None:
        event_id = fresh_id()
        for _ in range(self._times):
            await self.driver.send(topic, key, data, user_id=user_id, event_id=event_id, settle=False)
        if settle:
            await self.settle()

    async def stock(self, sku: str, pieces: int, price: int = 100) -> None:
        """Put a product on sale and take pieces of it in."""
        self.opening[sku] = self.opening.get(sku, 0) + pieces
        await self.say(PRODUCT_CREATE, sku, ProductCreate(f"Product {sku}", price, "GBP"))
        await self.say(INVENTORY_RECEIVE, sku, InventoryReceive(fresh_id(), pieces, "opening"))

    async def fill(
        self, cart_id: str, *lines: CartLine, user_id: str | None = None, settle: bool = True
    ) -> None:
        await self.say(CART_ADD, cart_id, CartAdd(lines), user_id=user_id, settle=settle)

    async def buy(
        self,
        cart_id: str,
        order_id: str,
        *,
        token: str = "tok_visa",
        user_id: str | None = None,
        settle: bool = True,
        **wish: Any,
    ) -> None:
        request = CheckoutRequested(order_id, wish.pop("currency", "GBP"), token, **wish)
        await self.say(CHECKOUT_REQUESTED, cart_id, request, user_id=user_id, settle=settle)

    # -- time passes -----------------------------------------------------------------------------------

    async def settle(self) -> None:
        """Run until neither the flows nor the provider have anything left to do."""
        await self.driver.settle()
        while await self.answer():
            await self.driver.settle()

    async def advance(self, milliseconds: int) -> None:
        """Let time pass, minute by minute, with the provider answering on the way."""
        while milliseconds > 0:
            step = min(milliseconds, MINUTE)
            await self.driver.advance(step)
            await self.settle()
            milliseconds -= step

    async def answer(self, limit: int | None = None) -> bool:
        """Let the gateway answer what it has not read yet; say whether there was anything."""
        if not self.answering:
            return False
        asked = self.driver.events(PAYMENT_INSTRUCT)[self._read :][:limit]
        self._read += len(asked)
        for message in asked:
            outcome = self.provider.answer(message)
            event_id = derived_id("outcome", message.event_id)
            for _ in range(self._times):
                await self.driver.send(
                    PAYMENT_OUTCOME,
                    message.aggregate_id,
                    outcome,
                    event_id=event_id,
                    correlation_id=message.correlation_id,
                    settle=False,
                )
        return bool(asked)

    # -- what is seen ----------------------------------------------------------------------------------

    def events(self, topic: Topic[D]) -> list[Message[D]]:
        """Return a topic's messages, each once."""
        return list({message.event_id: message for message in self.driver.events(topic)}.values())

    def only(self, topic: Topic[D]) -> Message[D]:
        (message,) = self.events(topic)
        return message

    def orders(self) -> dict[str, list[Message[OrderSnapshot]]]:
        """Return each order's events, in the order of their versions."""
        by_order: defaultdict[str, list[Message[OrderSnapshot]]] = defaultdict(list)
        for topic in EVENTS.values():
            for message in self.events(topic):
                by_order[message.aggregate_id].append(message)
        return {
            key: sorted(told, key=lambda message: message.aggregate_version) for key, told in by_order.items()
        }

    def status(self, order_id: str) -> OrderStatus:
        return self.orders()[order_id][-1].data.status

    def account(self, order_id: str) -> Account:
        return self.provider.accounts.get(order_id, Account())

    # -- what must always hold, once all is quiet ------------------------------------------------------

    def check(self) -> None:
        """Assert the invariants of the whole; to be called when every checkout has had its time."""
        for domain in DEAD_LETTERS:
            assert self.driver.dead_letters(domain) == []
        self._check_checkouts()
        self._check_orders()
        self._check_stock()
        self._check_money()
        assert all(cart.status is not CartStatus.FROZEN for cart in self.driver.table(CART).values())

    def _check_checkouts(self) -> None:
        started = [message.aggregate_id for message in self.events(CHECKOUT_STARTED)]
        completed = [message.aggregate_id for message in self.events(CHECKOUT_COMPLETED)]
        failed = [message.aggregate_id for message in self.events(CHECKOUT_FAILED)]
        ended = completed + failed
        assert len(set(ended)) == len(ended), "a checkout ended twice"
        assert set(started) <= set(ended), "a started checkout did not end"
        assert {message.aggregate_id for message in self.events(ORDER_CONFIRMED)} == set(completed)
        assert {message.aggregate_id for message in self.events(ORDER_PLACED)} == set(started)

    def _check_orders(self) -> None:
        for told in self.orders().values():
            versions = [message.aggregate_version for message in told]
            assert len(set(versions)) == len(versions), "two events of one version"
            statuses = [message.data.status for message in told]
            assert all(may(a, b) for a, b in pairwise(statuses)), statuses

    def _check_stock(self) -> None:
        left = dict(self.opening)
        for order_id, told in self.orders().items():
            order = told[-1].data
            confirmed = any(message.event_type == ORDER_CONFIRMED.name for message in told)
            for line in order.lines:
                if order.kind is OrderKind.RETURN:
                    left[line.sku] += line.quantity
                elif confirmed and self.status(order_id) is not OrderStatus.CANCELLED:
                    left[line.sku] -= line.quantity
        for sku, stock in self.driver.table(STOCK).items():
            assert (stock.reserved, stock.open) == (0, 0), f"{sku} stays reserved"
            assert stock.on_hand == stock.received - stock.committed == left.get(sku, 0), sku

    def _check_money(self) -> None:
        cancelled = {message.aggregate_id for message in self.events(ORDER_CANCELLED)}
        refunded = {message.aggregate_id for message in self.events(ORDER_REFUNDED)}
        confirmed = {message.aggregate_id: message.data.total for message in self.events(ORDER_CONFIRMED)}
        for message in self.events(ORDER_CONFIRMED):
            assert message.data.consented in (None, message.data.total), "charged otherwise than shown"
        returned = {message.aggregate_id: message.data.total for message in self.events(ORDER_RETURNED)}
        for order_id, account in self.provider.accounts.items():
            kept = account.captured - account.given_back
            assert account.held == 0, f"{order_id}: money is still held"
            assert account.captures <= 1, f"{order_id}: captured twice"
            if order_id in returned:
                assert kept == -returned[order_id]
            elif order_id in cancelled | refunded:
                assert kept == 0, f"{order_id}: {kept} kept of an undone order"
            else:
                assert kept == confirmed[order_id], f"{order_id}: {kept} taken"
        paid_for = {order_id for order_id, total in confirmed.items() if total} - cancelled - refunded
        assert paid_for <= set(self.provider.accounts)
