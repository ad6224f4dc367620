"""Replays invoices in the order in which they were placed: bounded in flight, paced, and safe to stop."""

import asyncio
import time
from collections.abc import Collection, Iterable
from contextlib import suppress

import msgspec

from connectors.retail.identity import cart_id, order_id, row_id
from connectors.retail.invoices import Invoice
from deploy.demo.outcomes import Outcomes
from deploy.demo.translate import Outgoing, letters, messages
from topics.dead_letter import ID
from topics.producer import MessageProducer

IN_FLIGHT = 2000


class Done(msgspec.Struct):
    """How far a replay has come: invoices taken, sent and skipped (already there), messages and letters."""

    taken: int = 0
    sent: int = 0
    skipped: int = 0
    messages: int = 0
    letters: int = 0


class Existing(msgspec.Struct, frozen=True):
    """What the platform already has of the invoices: ids of orders, and of rejected rows."""

    orders: Collection[str] = frozenset()
    rows: Collection[str] = frozenset()


class Pace:
    """Holds invoices back to `speed` times their real pace; None lets them run."""

    def __init__(self, speed: float | None) -> None:
        self._speed = speed
        self._first: tuple[float, int] | None = None

    def wait_s(self, placed_at: int | None, now: float) -> float:
        """Return how many seconds an invoice placed at `placed_at` (ms) must still wait at time `now` (s)."""
        if self._speed is None or placed_at is None:
            return 0.0
        if self._first is None:
            self._first = (now, placed_at)
        began, first = self._first
        return max(0.0, began + (placed_at - first) / 1000 / self._speed - now)


class Replay:
    """Sends invoices' messages; `stop` ends it at the next invoice boundary."""

    def __init__(self, producer: MessageProducer, outcomes: Outcomes, currency: str, file: str) -> None:
        self._producer = producer
        self._outcomes = outcomes
        self._currency = currency
        self._file = file
        self._stopped = asyncio.Event()
        self.done = Done()

    @property
    def stopped(self) -> bool:
        """Say whether `stop` was called."""
        return self._stopped.is_set()

    def stop(self) -> None:
        """End the replay at the next invoice boundary; what is in flight goes on."""
        self._stopped.set()

    async def send_all(self, outgoing: Iterable[Outgoing]) -> int:
        """Send messages that belong to no invoice, wait for the broker, and return their number."""
        count = 0
        for out in outgoing:
            await self._producer.send(out.topic, out.key, out.message)
            count += 1
        await self._producer.flush()
        self.done.messages += count
        return count

    async def run(self, invoices: Iterable[Invoice], existing: Existing, pace: Pace) -> int:
        """Replay invoices until they end or `stop` is called; return how many of them were taken.

        What exists is skipped. Raises StalledError where the platform does not keep up at all.
        """
        taken = 0
        for invoice in invoices:
            await self._hold(pace.wait_s(invoice.placed_at, time.monotonic()))
            await self._outcomes.until(IN_FLIGHT, lambda: self.stopped)
            if self.stopped:
                break
            await self._invoice(invoice, existing)
            taken += 1
        await self._producer.flush()
        return taken

    async def _hold(self, seconds: float) -> None:
        if seconds > 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), seconds)

    async def _invoice(self, invoice: Invoice, existing: Existing) -> None:
        order = order_id(invoice.number)
        if invoice.accepted and order in existing.orders:
            self.done.skipped += 1
        elif invoice.accepted:
            self._outcomes.expect(order, None if invoice.returned else cart_id(invoice.number))
            for out in messages(invoice, self._currency):
                await self._producer.send(out.topic, out.key, out.message)
                self.done.messages += 1
            self.done.sent += 1
        for letter in letters(invoice, self._file):
            if letter.headers[ID] not in existing.rows:
                await self._producer.send_raw(letter.topic, letter.key, letter.value, letter.headers)
                self.done.letters += 1
        self.done.taken += 1


def order_ids(invoices: Iterable[Invoice]) -> list[str]:
    """Return the orders and returns that the invoices become."""
    return [order_id(invoice.number) for invoice in invoices if invoice.accepted]


def rejected_rows(invoices: Iterable[Invoice]) -> dict[str, str]:
    """Return the rejected rows' ids, each with the month (YYYY-MM) under which it is counted."""
    return {
        row_id(invoice.number, rejected.ordinal): invoice.month
        for invoice in invoices
        for rejected in invoice.rejected
    }
