"""One run: a platform, load and canaries; faults for a time; then quiet, and the verdict."""

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp

from deploy.doctor.check import Outcome
from deploy.embedded.elasticsearch_peer import elasticsearch_peer
from deploy.errors import CommandError
from schemas.product import ProductCreate
from tests.bench.platform import platform
from tests.chaos import evidence, verdict
from tests.chaos.canaries import Canaries, one_each, patient
from tests.chaos.doors import PRICE, ApiDoor, TopicDoor
from tests.chaos.faults import ELASTICSEARCH, KINDS, Kind, schedule
from tests.chaos.injection import Injected, Injector
from tests.chaos.journal import Journal
from tests.chaos.load import Load
from tests.chaos.timeline import Timeline
from tests.chaos.victims import Victims
from tests.eventually import eventually_async
from tests.stack import Child, free_port_base
from topics.registry import PRODUCT_CREATE
from topics.settings import Settings

WORKERS = 3
SKUS = tuple(f"CHAOS-{number:02}" for number in range(40))
CANARY_SKUS = tuple(f"CANARY-{number:02}" for number in range(32))
OPENING, CANARY_OPENING = 100, 1_000_000
CALM_S = (1.0, 4.0)
OPEN_S = 90.0
QUIET_S = 60.0
SETTLED_S = 60.0
_LOOK_AGAIN_S = 2.0


@dataclass(frozen=True)
class Plan:
    """What is asked for. `kinds` are names of faults, all where empty; `patience` multiplies stated times."""

    seconds: float
    seed: int
    rate: float = 4.0
    elasticsearch: bool = False
    kinds: frozenset[str] = frozenset()
    pairs: bool = True
    patience: float = 1.0


@dataclass
class Progress:
    """What a display may show while the run goes on."""

    plan: Plan
    journal: Journal
    phase: str = "starting"
    began: float = 0.0
    timeline: Timeline = field(default_factory=lambda: Timeline(()))
    injected: list[Injected] = field(default_factory=list)
    current: str = ""
    shoppers: Callable[[], int] = lambda: 0


@dataclass(frozen=True)
class Finding:
    """What came of a run."""

    plan: Plan
    journal: Journal
    injected: Sequence[Injected]
    outcomes: Sequence[Outcome]
    evidence: evidence.Evidence
    seconds: float


def kinds_of(plan: Plan) -> tuple[Kind, ...]:
    """Return the kinds of faults that are injected. Raises CommandError for a name that is none."""
    known = (*KINDS, *(ELASTICSEARCH if plan.elasticsearch else ()))
    if unknown := plan.kinds - {kind.name for kind in known}:
        raise CommandError(
            f"--only: {', '.join(sorted(unknown))} is none of: {', '.join(k.name for k in known)}"
        )
    return tuple(kind for kind in known if not plan.kinds or kind.name in plan.kinds)


async def run(plan: Plan, progress: Progress) -> Finding:
    """Do it all, and return what was found."""
    kinds = kinds_of(plan)
    async with _servers(plan) as (settings, peer):
        victims = Victims(settings, peer)
        began = progress.began = time.monotonic()
        async with patient() as session:
            await _under_load(plan, kinds, settings, session, victims=victims, progress=progress)
        progress.phase = "settling"
        found, outcomes = await _settled(settings, victims, progress)
        return Finding(plan, progress.journal, progress.injected, outcomes, found, time.monotonic() - began)


async def _under_load(
    plan: Plan,
    kinds: Sequence[Kind],
    settings: Settings,
    session: aiohttp.ClientSession,
    *,
    victims: Victims,
    progress: Progress,
) -> None:
    journal = progress.journal
    goods = TopicDoor(settings, journal)
    api = ApiDoor(settings, session, journal)
    canaries = Canaries(settings, session, journal, one_each(CANARY_SKUS, settings.partitions))
    load = Load((api, goods), goods, SKUS, journal, rate=plan.rate, chance=random.Random(plan.seed))
    progress.timeline, progress.shoppers = canaries.timeline, lambda: load.open
    stop, quiet = asyncio.Event(), asyncio.Event()
    try:
        progress.phase = "opening"
        await _stock(goods, api, settings)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(canaries.run(quiet))
            tasks.create_task(load.run(stop))
            await _faults(plan, kinds, victims, progress)
            progress.phase = "letting shoppers out"
            stop.set()
            quiet.set()
    except* CommandError as refused:
        raise refused.exceptions[0] from None
    finally:
        await goods.close()


async def _faults(plan: Plan, kinds: Sequence[Kind], victims: Victims, progress: Progress) -> None:
    chance = random.Random(plan.seed + 1)
    await _open(progress.timeline, OPEN_S * plan.patience)
    progress.phase = "faults"
    progress.began = time.monotonic()
    injector = Injector(victims, progress.timeline, progress.began, plan.patience)
    ends_at = progress.began + plan.seconds
    for fault in schedule(kinds, victims.workers(), plan.seed, pairs=plan.pairs):
        await asyncio.sleep(chance.uniform(*CALM_S))
        if time.monotonic() > ends_at:
            return
        progress.current = f"{fault.name} ({', '.join(name for _, name in fault.parts)})"
        progress.injected.append(await injector.inject(fault))
        progress.current = ""


async def _open(timeline: Timeline, seconds: float) -> None:
    """Wait until every canary sings. Raises CommandError where one does not."""
    moment = time.monotonic()
    while waiting := timeline.waiting(moment):
        if time.monotonic() > moment + seconds:
            raise CommandError(f"the platform does not serve {waiting} before any fault")
        await asyncio.sleep(0.1)


async def _stock(goods: TopicDoor, api: ApiDoor, settings: Settings) -> None:
    for sku in (*SKUS, *CANARY_SKUS):
        await goods.send(PRODUCT_CREATE, sku, ProductCreate(f"Chaos product {sku}", PRICE, settings.currency))
    await asyncio.gather(*(goods.receive(sku, OPENING) for sku in SKUS))
    await asyncio.gather(*(goods.receive(sku, CANARY_OPENING) for sku in CANARY_SKUS))
    for sku in (*SKUS, *CANARY_SKUS):
        await eventually_async(partial(api.shows, sku), seconds=OPEN_S)


async def _settled(
    settings: Settings, victims: Victims, progress: Progress
) -> tuple[evidence.Evidence, list[Outcome]]:
    """Look until nothing is wrong, or until what is wrong has stayed so for long."""
    deadline = time.monotonic() + SETTLED_S * progress.plan.patience

    def say(text: str) -> None:
        progress.phase = f"settling: {text}"

    while True:
        found = await asyncio.to_thread(evidence.gather, settings, QUIET_S, say)
        found.stopped = victims.stopped()
        outcomes = verdict.judge(progress.journal, found)
        wrong = sum(len(outcome.violations) for outcome in outcomes)
        if not wrong or time.monotonic() > deadline:
            return found, outcomes
        say(f"{wrong} things are not right yet")
        await asyncio.sleep(_LOOK_AGAIN_S)


@asynccontextmanager
async def _servers(plan: Plan) -> AsyncIterator[tuple[Settings, Child | None]]:
    if not plan.elasticsearch:
        async with platform(WORKERS) as settings:
            yield settings, None
        return
    with TemporaryDirectory(prefix="ecommerce-chaos-") as directory:
        root = Path(directory)
        # Elasticsearch runs as another user than root and has to get through.
        os.chmod(root, 0o755)  # noqa: PTH101 -- at once, and nothing waits for it
        own = Settings(data_dir=root, port_base=free_port_base())
        peer = Child(elasticsearch_peer(own), root / "elasticsearch.log")
        await asyncio.to_thread(peer.start)
        try:
            async with platform(WORKERS, elasticsearch=peer.server.address) as settings:
                yield settings, peer
        finally:
            await asyncio.to_thread(peer.stop)
