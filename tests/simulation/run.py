"""One run: a seed's schedule, or a given list of choices, then rest, then the examination."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from zlib import crc32

from connectors.runtime.sink import SinkBehindError
from tests.simulation.examination import violations
from tests.simulation.scene import Choice
from tests.simulation.scheduler import Scheduler
from tests.simulation.settings import Parts
from tests.simulation.settling import RestlessError, settle
from tests.simulation.world import World

STEPS = 2_500
_LOOK = 16
LONG_EVERY = 5
"""Every so many seeds a run goes on until everything has left its table."""


@dataclass(frozen=True)
class Run:
    """What a run came to. `trace` is a number over all that happened: the same seed gives the same."""

    seed: int
    choices: tuple[Choice, ...]
    violations: tuple[str, ...]
    steps: int
    trace: int
    story: tuple[str, ...] = ()
    facts: tuple[tuple[str, int], ...] = ()


Look = Callable[[int], None]
"""Is given a number for the world's state after each step."""


def simulate(seed: int, parts: Parts | None = None, *, steps: int = STEPS, look: Look | None = None) -> Run:
    """Run a seed's schedule of so many steps."""
    world = World(seed, parts)
    scheduler = Scheduler(world, seed)

    def chosen() -> Iterable[Choice]:
        while world.steps < steps and not (world.steps % _LOOK == 0 and scheduler.idle()):
            choice = scheduler.choose()
            if choice is not None:
                yield choice

    return _run(world, seed, chosen(), look)


def replay(seed: int, choices: Iterable[Choice], parts: Parts | None = None, *, telling: bool = False) -> Run:
    """Run a list of choices of a seed; those that are not possible are left out."""
    return _run(World(seed, parts, telling=telling), seed, choices, None)


def _run(world: World, seed: int, choices: Iterable[Choice], look: Look | None) -> Run:
    taken: list[Choice] = []
    story: list[str] = []
    found: list[str] = []
    with world.deterministic():
        for worker in world.cluster.workers:
            world.perform(("start", worker.index, 0))
        try:
            for choice in choices:
                told = world.perform(choice)
                if told is None:
                    continue
                taken.append(choice)
                if told:
                    story.append(world.scene.names.spoken(told))
                if look is not None:
                    look(world.state)
                if world.monitor.violations:
                    break
            else:
                settle(world, long=seed % LONG_EVERY == 0)
            found = violations(world) if not world.monitor.violations else list(world.monitor.violations)
        except (RestlessError, SinkBehindError) as error:
            # A sink that ends because of what it lacks is found, too: nothing here puts a database back.
            found = [str(error)]
        finally:
            world.close()
    found = [world.scene.names.spoken(each) for each in found]
    trace = crc32(repr((taken, found, world.scene.now, world.scene.broker.digest)).encode())
    facts = (
        ("records", world.scene.broker.appended),
        ("fenced", world.cluster.fenced),
        ("orders", len(world.monitor.events.orders)),
    )
    return Run(seed, tuple(taken), tuple(found), world.steps, trace, tuple(story), facts)
