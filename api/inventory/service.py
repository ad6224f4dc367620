"""Staff's commands to a SKU's stock."""

from typing import Any

import msgspec

from api.auth.caller import Caller
from api.commands import Commands
from api.commands import Receipt as Sent
from api.inventory.models import Adjustment, Receipt, StockLevel
from api.inventory.queries import Stock
from api.problems import not_found
from api.rejections import refusal
from schemas.envelope import Message, fresh_id
from schemas.inventory import InventoryAdjust, InventoryReceive, InventoryUpdated
from schemas.inventory import StockLevel as Told
from topics.registry import INVENTORY_ADJUST, INVENTORY_RECEIVE
from topics.topic import Topic


class InventoryService:
    """Stock by SKU. Commands raise Problems where the stock refuses (known only when waited for)."""

    def __init__(self, stock: Stock, commands: Commands) -> None:
        self._stock = stock
        self._commands = commands

    async def level(self, sku: str) -> StockLevel:
        """Return a SKU's level; raises a 404 Problem where it never had stock."""
        level = await self._stock.level(sku)
        if level is None:
            raise not_found(f"stock of {sku}")
        return level

    async def receive(
        self,
        caller: Caller,
        sku: str,
        given: Receipt,
        *,
        command_id: str | None = None,
        wait: float | None = None,
    ) -> tuple[Sent, StockLevel | None]:
        """Take goods in; the second value is the level after it, where that was waited for."""
        receipt_id = given.receipt_id or command_id or fresh_id()
        data = InventoryReceive(receipt_id, given.quantity, given.reason)
        return await self._send(caller, INVENTORY_RECEIVE, sku, data, command_id, wait)

    async def adjust(
        self,
        caller: Caller,
        sku: str,
        given: Adjustment,
        *,
        command_id: str | None = None,
        wait: float | None = None,
    ) -> tuple[Sent, StockLevel | None]:
        """Correct the count; the second value is the level after it, where that was waited for."""
        adjustment_id = given.adjustment_id or command_id or fresh_id()
        data = InventoryAdjust(adjustment_id, given.delta, given.reason)
        return await self._send(caller, INVENTORY_ADJUST, sku, data, command_id, wait)

    async def _send(
        self,
        caller: Caller,
        topic: Topic[Any],
        sku: str,
        data: msgspec.Struct,
        command_id: str | None,
        wait: float | None,
    ) -> tuple[Sent, StockLevel | None]:
        sent = await self._commands.send(
            topic,
            sku,
            data,
            owner=caller.owner or "",
            user_id=caller.user_id,
            command_id=command_id,
            wait=wait,
        )
        if sent.heard is None:
            return sent, None
        if sent.refused:
            raise refusal(sent)
        message = sent.heard.message
        if isinstance(message.data, InventoryUpdated):
            return sent, _told(message, message.data)
        # It was done already, by another command under the same id: the level is the newer of what the
        # dataflow tells and what the view has.
        shown = await self._stock.level(sku)
        if shown is not None and shown.version >= message.aggregate_version:
            return sent, shown
        # A worker of an older release tells no level.
        level = message.data.level
        return sent, None if level is None else _told(message, level)


def _told(message: Message[Any], level: InventoryUpdated | Told) -> StockLevel:
    return StockLevel(
        sku=message.aggregate_id,
        on_hand=level.on_hand,
        reserved=level.reserved,
        available=level.available,
        received=level.received,
        committed=level.committed,
        threshold=level.low_stock_threshold,
        version=message.aggregate_version,
        updated_at=message.occurred_at,
        movements=[],
    )
