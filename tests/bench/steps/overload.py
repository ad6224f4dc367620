"""More checkouts than can be processed: what is accepted, what is refused, what becomes of the accepted."""

import asyncio
import statistics
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial

from confluent_kafka import KafkaException

from api.auth.guests import new_guest_secret
from deploy.processes.status import memory
from deploy.processes.supervisor import Supervisor
from schemas.cart import CartAdd, CartLine
from streams.flows import GROUP
from tests.bench.percentile import percentile
from tests.bench.platform import doctor, platform
from tests.bench.rush import Ends, Rush, at_rate, in_flight
from tests.bench.shopfront import Listener, Mouth, parcel, stock_the_shop
from tests.bench.step import Case, InvariantError, Options, Sample, Step
from tests.guests import Guests
from topics.lag import lag
from topics.registry import CART_ADD, CART_UPDATED
from topics.settings import Settings

FACTORS = (0.5, 1.0, 1.5, 2.0, 3.0)
SKUS = [f"BENCH-{n:04}" for n in range(1_000)]
PIECES = 1_000_000
AT_ONCE = 256
SECONDS = 20.0
WATCHED = ("api", "worker-0", "kafka")
_LOOK_S = 1.0
_MEGABYTE = 1e6


class Counter:
    """Sells carts over HTTP on one platform; remembers the sustainable rate."""

    def __init__(self, settings: Settings, ends: Ends) -> None:
        self._settings = settings
        self._ends = ends
        self._sustained: list[float] = []

    async def sustainable(self, count: int) -> Sample:
        """Sell `count` carts as fast as they are confirmed: checkouts/s."""
        carts = await asyncio.to_thread(fill, self._settings, count)
        rush = await in_flight(self._settings, carts, AT_ONCE, self._ends)
        self._hold(rush, count)
        self._sustained.append(len(rush.ended_ms) / rush.seconds)
        return Sample(self._sustained[-1], {"p99 ms": percentile(rush.ended_ms, 0.99)})

    async def offered(self, factor: float, seconds: float) -> Sample:
        """Offer so many times the sustainable rate for so long: accepted/s."""
        rate = factor * statistics.median(self._sustained)
        count = max(50, int(rate * seconds))
        carts = await asyncio.to_thread(fill, self._settings, count)
        async with self._watched() as most:
            rush = await at_rate(self._settings, carts, rate, self._ends)
        self._hold(rush, count)
        return Sample(
            rush.accepted / rush.seconds,
            {
                "offered/s": count / rush.offered_s,
                "refused/s": rush.refused / rush.seconds,
                "refusal p99 ms": percentile(rush.refused_ms, 0.99),
                "confirmed p50 ms": percentile(rush.ended_ms, 0.5),
                "confirmed p99 ms": percentile(rush.ended_ms, 0.99),
                **most,
            },
        )

    def _hold(self, rush: Rush, count: int) -> None:
        """Raise InvariantError for an answer that is neither, a refusal without hint, an order not bought."""
        answered = rush.accepted + rush.refused
        if answered != count:
            raise InvariantError(f"{count} were asked, answers: {dict(rush.statuses)}")
        if rush.unhinted:
            raise InvariantError(f"{rush.unhinted} refusals have no Retry-After")
        if len(rush.ended_ms) != rush.accepted:
            raise InvariantError(f"{rush.accepted} were accepted, {len(rush.ended_ms)} confirmed")

    @asynccontextmanager
    async def _watched(self) -> AsyncIterator[dict[str, float]]:
        """Yield what will hold the highest lag (records) and memory (MB) of the block."""
        most: dict[str, float] = {"lag": 0.0, **{f"MB {name}": 0.0 for name in WATCHED}}

        async def watch() -> None:
            while True:
                for name, value in (await asyncio.to_thread(_look, self._settings)).items():
                    most[name] = max(most[name], value)
                await asyncio.sleep(_LOOK_S)

        watching = asyncio.create_task(watch())
        try:
            yield most
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching


def _look(settings: Settings) -> dict[str, float]:
    supervisor = Supervisor(settings.data_dir)
    seen = {f"MB {name}": memory(supervisor.info(name).pid) / _MEGABYTE for name in WATCHED}
    # A busy broker may not tell in time; the next look does.
    with suppress(KafkaException):
        seen["lag"] = float(sum(one.lag for one in lag(settings, [GROUP], seconds=False)))
    return seen


def fill(settings: Settings, count: int) -> list[str]:
    """Fill guests' carts with one line each, wait until the dataflow has them, and return their secrets."""
    carts, guests = [new_guest_secret() for _ in range(count)], Guests(settings)
    mouth = Mouth(settings)
    with Listener(settings, (CART_UPDATED,)) as listener:
        for number, cart in enumerate(carts):
            sku = SKUS[number % len(SKUS)]
            mouth.send(parcel(CART_ADD, guests.cart(cart), CartAdd((CartLine(sku, sku, 1),))))
        mouth.flush()
        listener.wait(count, CART_UPDATED)
    return carts


async def cases(options: Options) -> AsyncGenerator[Case, None]:
    """Yield the sustainable rate, then multiples of it, all on one platform; the doctor looks at the end."""
    async with platform() as settings:
        await asyncio.to_thread(stock_the_shop, settings, SKUS, PIECES)
        with Ends(settings) as ends:
            till = Counter(settings, ends)
            yield Case(
                "sustainable",
                "checkouts/s",
                lambda: till.sustainable(options.scaled(2_000, 200)),
                warm_up=1,
            )
            for factor in FACTORS:
                measure = partial(till.offered, factor, SECONDS * options.size)
                yield Case(f"{factor:g}x", "accepted/s", measure, rounds=1)
        await doctor(settings)


STEP = Step("overload", "checkouts over HTTP at multiples of the sustainable rate", cases)
