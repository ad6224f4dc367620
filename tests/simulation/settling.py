"""The end of a run: all faults end, everything is read, and time goes on until every checkout has had its."""

from collections.abc import Iterator

from streams.kernel.ownership import Place
from tests.simulation.cluster import Worker
from tests.simulation.gateway import OK, GatewayMoves
from tests.simulation.lane import Lane
from tests.simulation.scene import Choice
from tests.simulation.world import World

MINUTE_MS = 60_000
PATIENCE_MS = 40 * MINUTE_MS
"""Longer than a checkout's deadline and the provider's longest silence behind it."""
LONG_PATIENCE_MS = 200 * MINUTE_MS
"""Longer than markers and ended orders are kept."""
_MOST_STEPS = 60_000
_BATCH = 50


class RestlessError(Exception):
    """The world does not come to rest: something goes on for ever."""


def settle(world: World, *, long: bool) -> None:
    """Heal the world and let it come to rest. Raises RestlessError where it does not."""
    begun = world.steps
    _heal(world)
    end = world.scene.now + (LONG_PATIENCE_MS if long else PATIENCE_MS)
    while True:
        while _round(world):
            if world.steps - begun > _MOST_STEPS:
                raise RestlessError(f"{_MOST_STEPS} steps after all faults ended there is still work to do")
        due = _next_due(world)
        if due is None or due > end:
            break
        world.scene.now = max(world.scene.now, due)
    world.perform(("gateway-commit",))


def _heal(world: World) -> None:
    cluster = world.cluster
    for worker in cluster.workers:
        world.perform(("skew", worker.index, 0))
        world.perform(("wake", worker.index))
        world.perform(("start", worker.index, 0))
        world.perform(("hear", worker.index, 0))
    if any(not worker.member for worker in cluster.workers):
        world.perform(("rebalance", 0, 1))


def _round(world: World) -> bool:
    """Do everything that can be done, once; return whether there was anything."""
    moved = False
    for choice in _open(world):
        moved = world.perform(choice) is not None or moved
    return moved


def _open(world: World) -> Iterator[Choice]:
    for worker in world.cluster.workers:
        for place, lane in list(worker.lanes.items()):
            if lane.busy() or lane.due() or lane.idle():
                yield from _work(worker, place, lane)
        if not worker.alive:
            yield ("start", worker.index, 0)
        if worker.running and not worker.member:
            yield ("hear", worker.index, 0)
    yield from _payments(world.gateway)
    for sink in world.sinks.values():
        if sink.zombies:
            yield ("late-write", sink.name, 0)
        elif sink.unit is not None:
            yield ("write", sink.name, 0)
        elif sink.busy():
            yield ("poll", sink.name, 100, _BATCH, 0)


def _payments(gateway: GatewayMoves) -> Iterator[Choice]:
    for _, partition in list(gateway.inbox.waiting):
        yield ("instruct", partition)
    for number in gateway.ready():
        yield ("provide", number, OK)
    if gateway.network.late:
        yield ("arrive", 0)


def _work(worker: Worker, place: Place, lane: Lane) -> Iterator[Choice]:
    where = (worker.index, place.flow, place.partition)
    while lane.unit is not None and worker.lanes.get(place) is lane:
        yield ("carry", *where)
    yield ("arm", *where)
    for topic, _ in list(lane.inbox.waiting):
        yield ("fetch", *where, topic, _BATCH)
    if lane.pending:
        yield ("work", *where)
        while lane.unit is not None and worker.lanes.get(place) is lane:
            yield ("carry", *where)
    while lane.firing is not None or lane.due():
        yield ("fire", *where)
    if lane.idle():
        yield ("rest", *where)
        while lane.unit is not None and worker.lanes.get(place) is lane:
            yield ("carry", *where)


def _next_due(world: World) -> int | None:
    return min(
        (
            due
            for worker in world.cluster.workers
            for lane in worker.lanes.values()
            if (due := lane.task.next_due()) is not None
        ),
        default=None,
    )
