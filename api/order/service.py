"""Orders after checkout: reading them, cancelling, and staff moving them on."""

from typing import Any

import msgspec

from api.auth.caller import Caller
from api.checkout.service import Checkout
from api.commands import Commands, Receipt
from api.order.models import Order, OrderPage
from api.order.queries import Orders
from api.order.snapshots import of_checkout, of_snapshot
from api.problems import Problem, not_found
from api.rejections import refusal
from schemas.order import OrderAdvance, OrderCancel, OrderSnapshot, OrderStatus
from schemas.refusal import Refusal
from topics.registry import ORDER_ADVANCE, ORDER_CANCEL
from topics.topic import Topic


class OrderService:
    """Orders that a caller may see; all others do not exist (404).

    Commands raise Problems: 404, 409 with the reason of a refusal (where it was waited for), and 503.
    """

    def __init__(self, orders: Orders, checkout: Checkout, commands: Commands, currency: str) -> None:
        self._orders = orders
        self._checkout = checkout
        self._commands = commands
        self._currency = currency

    async def read(self, caller: Caller, order_id: str) -> Order:
        """Return an order, also one that is so fresh that no view has it yet."""
        order = await self._orders.order(caller, order_id)
        if order is None:
            record = await self._checkout.pending(caller, order_id)
            order = of_checkout(order_id, record, self._currency) if record else None
        if order is None:
            raise not_found(f"order {order_id}")
        return order

    async def page(
        self,
        caller: Caller,
        limit: int = 20,
        cursor: str | None = None,
        *,
        status: OrderStatus | None = None,
        everyone: bool = False,
    ) -> OrderPage:
        """Return a page of the caller's orders, newest first; `everyone`'s are for staff (403)."""
        if everyone and not caller.staff:
            raise Problem(403, "only staff may list everyone's orders")
        return await self._orders.page(caller, limit, cursor, status=status, everyone=everyone)

    async def cancel(
        self,
        caller: Caller,
        order_id: str,
        reason: str,
        *,
        command_id: str | None = None,
        wait: float | None = None,
    ) -> tuple[Receipt, Order | None]:
        """Cancel an order; the second value is the order after it, where that was waited for."""
        await self.read(caller, order_id)
        data = OrderCancel(reason, staff=caller.staff)
        # The dataflow knows a guest's order as nobody's, also where its buyer has an account by now.
        guests = await self._checkout.claimed(caller, order_id)
        user_id = None if guests else caller.user_id
        return await self._send(caller, ORDER_CANCEL, order_id, data, command_id, wait, user_id)

    async def advance(
        self,
        caller: Caller,
        order_id: str,
        status: OrderStatus,
        tracking: str | None = None,
        *,
        command_id: str | None = None,
        wait: float | None = None,
    ) -> tuple[Receipt, Order | None]:
        """Move an order on, for staff; the second value is the order after it, where waited for."""
        await self.read(caller, order_id)
        data = OrderAdvance(status, tracking)
        return await self._send(caller, ORDER_ADVANCE, order_id, data, command_id, wait, caller.user_id)

    async def _send(
        self,
        caller: Caller,
        topic: Topic[Any],
        order_id: str,
        data: msgspec.Struct,
        command_id: str | None,
        wait: float | None,
        user_id: str | None,
    ) -> tuple[Receipt, Order | None]:
        receipt = await self._commands.send(
            topic,
            order_id,
            data,
            owner=caller.owner or "",
            user_id=user_id,
            command_id=command_id,
            wait=wait,
        )
        if receipt.heard is None:
            return receipt, None
        if receipt.refused:
            raise _refused(receipt)
        snapshot = receipt.heard.message.data
        assert isinstance(snapshot, OrderSnapshot)
        return receipt, of_snapshot(order_id, receipt.heard.message.aggregate_version, snapshot)


def _refused(receipt: Receipt) -> Problem:
    problem = refusal(receipt)
    # The caller sees the order; the dataflow no longer does, because it has ended long ago.
    if problem.extra.get("reason") == Refusal.UNKNOWN_ORDER:
        problem.status, problem.detail = 409, "the order has ended and can no longer change"
    return problem
