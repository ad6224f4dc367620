"""Depth first through all states of the small world; a state that was seen is not gone through again."""

import time
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from unittest.mock import patch

from connectors.payments.simulator import operations
from tests.simulation.exhaustive.invariants import Invariants
from tests.simulation.exhaustive.small_world import SmallWorld, State
from tests.simulation.world import fixed

_TELL_EVERY = 100_000


@dataclass
class Explored:
    """What was explored: distinct states, steps between them, and states in which nothing can happen."""

    states: int = 0
    steps: int = 0
    ends: int = 0
    seconds: float = 0.0
    complete: bool = True
    violations: list[str] = field(default_factory=list)

    def figures(self) -> dict[str, int]:
        """Return the figures."""
        return {
            "states": self.states,
            "steps": self.steps,
            "ends": self.ends,
            "seconds": round(self.seconds),
            "complete": int(self.complete),
            "violations": len(self.violations),
        }


def explore(
    world: SmallWorld | None = None,
    *,
    most_states: int = 20_000_000,
    say: Callable[[str], None] = lambda _: None,
) -> Explored:
    """Explore a world. Stops at the first violation, told with the way there, and at `most_states`."""
    world = world or SmallWorld()
    found, begun = Explored(), time.monotonic()
    with patch.object(operations, "uuid4", fixed), patch.object(operations, "time", fixed()):
        _search(world, found, most_states, say)
    found.seconds = time.monotonic() - begun
    return found


def _search(world: SmallWorld, found: Explored, most_states: int, say: Callable[[str], None]) -> None:
    invariants = Invariants(world)
    state = world.beginning()
    seen = {_hash(state)}
    way: list[str] = []
    stack: list[Iterator[tuple[str, State]]] = [iter(_enter(world, invariants, state, found, way))]
    while stack and not found.violations:
        following = next(stack[-1], None)
        if following is None:
            stack.pop()
            if way:
                way.pop()
            continue
        words, state = following
        found.steps += 1
        number = _hash(state)
        if number in seen:
            continue
        if len(seen) >= most_states:
            found.complete = False
            return
        seen.add(number)
        way.append(words)
        stack.append(iter(_enter(world, invariants, state, found, way)))
        if found.states % _TELL_EVERY == 0:
            say(f"{found.states:,} states, {found.steps:,} steps, {len(stack)} deep")


def _enter(
    world: SmallWorld, invariants: Invariants, state: State, found: Explored, way: list[str]
) -> list[tuple[str, State]]:
    found.states += 1
    moves = list(world.moves(state))
    wrong = list(invariants.always(state))
    if not moves:
        found.ends += 1
        wrong += invariants.finally_(state)
    if wrong:
        story = "\n".join(f"{number:>4}. {step}" for number, step in enumerate(way, 1))
        found.violations += [f"{each}\n{story}" for each in wrong]
    return moves


def _hash(state: State) -> int:
    return int.from_bytes(blake2b(array("I", state).tobytes(), digest_size=8).digest())
