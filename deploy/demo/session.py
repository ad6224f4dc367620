"""One run of the demonstration against a platform that is up: load, replay, wait, reconcile."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import msgspec
from confluent_kafka import KafkaException
from rich.console import Console

from connectors.retail.catalogue import Product, catalogue
from connectors.retail.classify import Limits
from connectors.retail.figures import monthly
from connectors.retail.invoices import Invoice, Window, invoices
from connectors.retail.money import digits_of
from connectors.retail.notation import Notation
from connectors.retail.reading import read_rows
from deploy.demo.outcomes import Outcomes
from deploy.demo.postgres import PostgresViews
from deploy.demo.progress import ReplayDisplay
from deploy.demo.readers import readers
from deploy.demo.reconcile import Beside, Difference, ViewFigures, compare
from deploy.demo.replay import Existing, Pace, Replay, order_ids, rejected_rows
from deploy.demo.report import Reconciliation
from deploy.demo.search import search_figures
from deploy.demo.settle import Positions, caught_up, settled
from deploy.demo.shelf import restocks, to_send
from deploy.demo.stocking import product_commands, receipts
from streams.cart.settings import CartSettings
from streams.product.settings import ProductSettings
from topics.producer import MessageProducer
from topics.registry import (
    INVENTORY_RECEIVE,
    PRODUCT_CREATE,
    PRODUCT_CREATED,
    PRODUCT_UPDATE,
    PRODUCT_UPDATED,
)
from topics.settings import Settings

# How long readers may stand still before a run gives up on them.
PATIENCE_S = 300.0
_LOOK_S = 1.0


class Outcome(msgspec.Struct, frozen=True):
    """How a run went.

    `seconds` and `events` are of the replay, from its first message to lag zero; `load_seconds` is how long
    the catalogue took.
    """

    reconciliation: Reconciliation
    invoices: int
    sent: int
    skipped: int
    failed: dict[str, int]
    load_seconds: float
    seconds: float
    events: int
    lag: int
    interrupted: bool
    beside: Beside


@dataclass(frozen=True)
class Shop:
    """A retailer's file, read: its name, all its invoices in order, and the products that they are of."""

    file: str
    invoices: Sequence[Invoice]
    products: Sequence[Product]


def read_shop(file: Path, currency: str, notation: Notation | None = None) -> Shop:
    """Read a retailer's file, whose prices are in major units of `currency`.

    Raises RetailFileError, which names the column or row that is wrong.
    """
    # What the worker of this very platform would refuse is rejected before it is sent, with its reason.
    cart = CartSettings()
    limits = Limits(lines=cart.max_lines, pieces=cart.max_quantity, price=cart.max_agreed_price)
    whole = invoices(read_rows(file, notation, digits_of(currency)), limits)
    products = catalogue(whole, ProductSettings().max_name)
    return Shop(file.name, whole, tuple(products.values()))


@dataclass(frozen=True)
class _Links:
    """What a run speaks to."""

    positions: Positions
    views: PostgresViews
    outcomes: Outcomes
    replay: Replay


class Session:
    """Replays a window of a file's invoices. `stop` ends it at the next invoice boundary."""

    def __init__(self, settings: Settings, shop: Shop, console: Console) -> None:
        self._settings = settings
        self._shop = shop
        self._console = console
        self._replay: Replay | None = None
        self._stopped = False

    def stop(self) -> None:
        """End the replay early: what is in flight is waited for, and the report covers what was replayed."""
        self._stopped = True
        if self._replay is not None:
            self._replay.stop()

    async def run(self, window: Window, speed: float | None) -> Outcome:
        """Load the catalogue, replay the window, wait until all readers are done, and reconcile.

        Raises NotSettledError and StalledError where the platform does not do its work.
        """
        chosen, products = list(window.of(self._shop.invoices)), self._shop.products
        self._console.print(
            f"{self._shop.file}: {len(self._shop.invoices):,} invoices, {len(products):,} products;"
            f" to replay: {len(chosen):,} invoices",
            highlight=False,
            soft_wrap=True,
        )
        async with AsyncExitStack() as stack:
            links = await self._connect(stack)
            # What an interrupted run left in flight must be seen in the views before they are asked.
            await settled(links.positions, PATIENCE_S)
            began = time.monotonic()
            await self._load(links, products)
            before = await asyncio.to_thread(links.positions.written)
            loaded = time.monotonic()
            taken = await self._play(links, chosen, products, speed)
            seconds = time.monotonic() - loaded
            events = await asyncio.to_thread(links.positions.written) - before
            return Outcome(
                reconciliation=await self._reconcile(links.views, chosen[:taken]),
                invoices=taken,
                sent=links.replay.done.sent,
                skipped=links.replay.done.skipped,
                failed=dict(links.outcomes.in_flight.failed),
                load_seconds=loaded - began,
                seconds=seconds,
                events=events,
                lag=await asyncio.to_thread(links.positions.lag),
                interrupted=taken < len(chosen),
                beside=await links.views.beside(order_ids(self._shop.invoices)),
            )

    async def _connect(self, stack: AsyncExitStack) -> _Links:
        positions = await asyncio.to_thread(Positions, self._settings, readers(self._settings))
        views = await stack.enter_async_context(PostgresViews(self._settings.postgres_dsn))
        producer = await stack.enter_async_context(MessageProducer(self._settings, "ecommerce-demo"))
        outcomes = await stack.enter_async_context(Outcomes(self._settings, PATIENCE_S))
        self._replay = Replay(producer, outcomes, self._settings.currency, self._shop.file)
        if self._stopped:
            self._replay.stop()
        return _Links(positions, views, outcomes, self._replay)

    async def _load(self, links: _Links, products: Sequence[Product]) -> None:
        """Put the catalogue on sale, and wait until stock knows the prices."""
        on_sale = await links.views.on_sale()
        commands = product_commands(products, on_sale, self._settings.currency)
        count = await links.replay.send_all(commands)
        await caught_up(links.positions, [PRODUCT_CREATE.name, PRODUCT_UPDATE.name], PATIENCE_S)
        await caught_up(links.positions, [PRODUCT_CREATED.name, PRODUCT_UPDATED.name], PATIENCE_S)
        self._console.print(f"catalogue: {count:,} products put on sale or changed", highlight=False)

    async def _play(
        self, links: _Links, chosen: Sequence[Invoice], products: Sequence[Product], speed: float | None
    ) -> int:
        """Replay month by month, each after its goods are in the house; return how many were taken."""
        existing = Existing(
            await links.views.existing_orders(order_ids(chosen)),
            await links.views.existing_letters(list(rejected_rows(chosen))),
        )
        sells = to_send(chosen, existing.orders)
        needed = [out.message.event_id for month in sells for out in receipts(products, month)]
        received = await links.views.existing_receipts(needed)
        await links.replay.send_all(restocks(products, await links.views.levels(), sells, received))
        pace = Pace(speed)
        taken = 0
        with ReplayDisplay(self._console, len(chosen)) as display:
            watch = asyncio.create_task(_watch(display, links))
            try:
                for month, of_month in groupby(chosen, key=lambda invoice: invoice.month):
                    if links.replay.stopped:
                        break
                    missing = [
                        out for out in receipts(products, month) if out.message.event_id not in received
                    ]
                    await links.replay.send_all(missing)
                    await caught_up(links.positions, [INVENTORY_RECEIVE.name], PATIENCE_S)
                    taken += await links.replay.run(of_month, existing, pace)
                await links.outcomes.until(0)
                await settled(links.positions, PATIENCE_S)
            finally:
                watch.cancel()
                with suppress(asyncio.CancelledError):
                    await watch
        return taken

    async def _reconcile(self, views: PostgresViews, taken: Sequence[Invoice]) -> Reconciliation:
        came_in = monthly(taken)
        orders = order_ids(taken)
        held: dict[str, dict[str, ViewFigures]] = {
            "postgres": await views.figures(orders, rejected_rows(taken))
        }
        differences: list[Difference] = compare("postgres", came_in, held["postgres"])
        if self._settings.elasticsearch:
            held["elasticsearch"] = await search_figures(self._settings.elasticsearch, orders)
            differences += compare("elasticsearch", came_in, held["elasticsearch"], rejected=False)
        return Reconciliation(came_in, held, differences)


async def _watch(display: ReplayDisplay, links: _Links) -> None:
    """Refresh the display until cancelled."""
    first = await asyncio.to_thread(links.positions.written)
    while True:
        with suppress(KafkaException):
            lag = await asyncio.to_thread(links.positions.lag)
            events = await asyncio.to_thread(links.positions.written) - first
            step = "stopping" if links.replay.stopped else "replay"
            display.show(links.replay.done.taken - len(links.outcomes.in_flight), events, lag, step)
        await asyncio.sleep(_LOOK_S)
