"""How long it takes until a worker serves again: killed with its local state, and without any."""

import asyncio
from collections.abc import AsyncGenerator

from tests.bench.ground import ground
from tests.bench.population import Carts, settle
from tests.bench.standing_worker import StandingWorker
from tests.bench.step import Case, Options, Sample, Step
from topics.admin import create

KEYS = 1_000_000


async def cases(options: Options) -> AsyncGenerator[Case, None]:
    """Yield both ways over the same million carts. Seconds count from the process's start."""
    with ground() as stack:
        await asyncio.to_thread(stack.kafka)
        await asyncio.to_thread(create, stack.settings)
        carts = Carts(options.scaled(KEYS, 1_000))
        worker = StandingWorker(stack, carts)

        async def fresh() -> Sample:
            await asyncio.to_thread(worker.kill)
            await asyncio.to_thread(worker.forget)
            return Sample(await worker.serve(), {"keys": float(len(carts.keys))})

        async def killed() -> Sample:
            await asyncio.to_thread(worker.kill)
            return Sample(await worker.serve(), {"keys": float(len(carts.keys))})

        async def empty() -> Sample:
            """Start without any keys: what the process itself takes."""
            worker_of_none = StandingWorker(stack, few)
            try:
                return Sample(await worker_of_none.serve())
            finally:
                await asyncio.to_thread(worker_of_none.kill)
                await asyncio.to_thread(worker_of_none.forget)

        few = Carts(1_000)
        try:
            await asyncio.to_thread(settle, few, stack.settings)
            yield Case("1,000 keys, no local state", "s", empty, lower_is_better=True)
            await asyncio.to_thread(settle, carts, stack.settings)
            yield Case("no local state", "s", fresh, lower_is_better=True)
            yield Case(
                "killed, with local state", "s", killed, targets={"value": "<= 5"}, lower_is_better=True
            )
        finally:
            await asyncio.to_thread(worker.kill)


STEP = Step("recovery", "seconds from a worker's start until 1,000,000 keys are served again", cases)
