"""What 1,000,000 carts and 1,000,000 open reservations take: resident memory and RocksDB's files."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from functools import partial

from tests.bench.ground import ground
from tests.bench.population import Carts, Population, Reservations, settle
from tests.bench.standing_worker import StandingWorker
from tests.bench.step import Case, Options, Sample, Step
from topics.admin import create

THINGS = 1_000_000
FEW = 10_000
MB = 1_000_000


async def cases(options: Options) -> AsyncGenerator[Case, None]:
    """Yield a case per kind: a fresh worker restores them, serves, and is looked at."""
    populations: dict[str, Callable[[int], Population]] = {"carts": Carts, "reservations": Reservations}
    for name, populate in populations.items():
        with ground() as stack:
            await asyncio.to_thread(stack.kafka)
            await asyncio.to_thread(create, stack.settings)
            population = populate(options.scaled(THINGS, 10_000))
            few = populate(FEW)
            await asyncio.to_thread(settle, few, stack.settings)
            bare = await _resident(StandingWorker(stack, few))
            await asyncio.to_thread(settle, population, stack.settings)
            worker = StandingWorker(stack, population)

            measure = partial(_measure, worker, bare, population.things)
            yield Case(f"{population.things:,} {name}", "MB resident", measure, lower_is_better=True)


async def _measure(worker: StandingWorker, bare: int, things: int) -> Sample:
    await worker.serve()
    resident, disk = worker.resident(), await asyncio.to_thread(worker.on_disk)
    await _leave(worker)
    figures = {
        "MB of one with few": bare / MB,
        "bytes each": (resident - bare) / things,
        "disk MB": disk / MB,
        "disk bytes each": disk / things,
    }
    return Sample(resident / MB, figures)


async def _resident(worker: StandingWorker) -> int:
    await worker.serve()
    resident = worker.resident()
    await _leave(worker)
    return resident


async def _leave(worker: StandingWorker) -> None:
    await asyncio.to_thread(worker.stop)
    await asyncio.to_thread(worker.forget)


STEP = Step("memory", "resident memory and disk of a worker with 1,000,000 carts, or reservations", cases)
