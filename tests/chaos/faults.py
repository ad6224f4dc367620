"""The kinds of faults: who is hit, how, and within what time all canaries must be served again."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

WORKER = "worker"
SESSION_S = 10.0
"""The consumer groups' session time-out: what is paused for longer has lost its partitions."""


class Harm(StrEnum):
    """What happens to a process."""

    KILL = "kill"
    PAUSE = "pause"
    RESTART = "restart"
    REMOVE = "remove"
    """Killed and kept down until the others have taken over."""
    WIPE = "wipe"
    """Killed, its local state deleted, started again."""
    LEAVE = "leave"
    """Stopped cleanly and kept down until the others have taken over."""


@dataclass(frozen=True)
class Kind:
    """A kind of fault. `stated_s`: no canary is without service for longer, SIGSTOP's own time included."""

    name: str
    victim: str
    harm: Harm
    stated_s: float
    pause_s: float = 0.0


@dataclass(frozen=True)
class Fault:
    """One fault to inject: its kind and, for each of its victims, the harm."""

    name: str
    parts: tuple[tuple[Kind, str], ...]
    stated_s: float


KINDS: tuple[Kind, ...] = (
    Kind("worker killed", WORKER, Harm.KILL, 30),
    Kind("worker killed, its state lost", WORKER, Harm.WIPE, 30),
    Kind("worker gone, others take over", WORKER, Harm.REMOVE, 45),
    Kind("worker paused past its session", WORKER, Harm.PAUSE, 45, SESSION_S + 5),
    Kind("worker leaves and joins", WORKER, Harm.LEAVE, 45),
    Kind("broker killed", "kafka", Harm.KILL, 60),
    Kind("broker restarted", "kafka", Harm.RESTART, 60),
    Kind("broker paused", "kafka", Harm.PAUSE, 60, SESSION_S + 5),
    Kind("sinks killed", "sink", Harm.KILL, 30),
    Kind("sinks paused past their session", "sink", Harm.PAUSE, 45, SESSION_S + 5),
    Kind("gateway killed", "gateway", Harm.KILL, 45),
    Kind("gateway paused past its session", "gateway", Harm.PAUSE, 45, SESSION_S + 5),
    Kind("provider killed", "provider", Harm.KILL, 45),
    Kind("provider paused", "provider", Harm.PAUSE, 45, 8),
    Kind("API killed", "api", Harm.KILL, 30),
    Kind("API paused", "api", Harm.PAUSE, 30, 5),
    Kind("PostgreSQL killed", "postgres", Harm.KILL, 45),
    Kind("PostgreSQL paused", "postgres", Harm.PAUSE, 45, 8),
    Kind("PostgreSQL restarted", "postgres", Harm.RESTART, 45),
    Kind("Redis killed", "redis", Harm.KILL, 30),
    Kind("Redis paused", "redis", Harm.PAUSE, 30, 8),
)
ELASTICSEARCH: tuple[Kind, ...] = (
    Kind("Elasticsearch killed", "elasticsearch", Harm.KILL, 90),
    Kind("Elasticsearch paused", "elasticsearch", Harm.PAUSE, 60, 8),
)
TWO_AT_ONCE = "two at once"
TWO_AT_ONCE_S = 90.0


def schedule(kinds: Sequence[Kind], workers: Sequence[str], seed: int, *, pairs: bool) -> Iterator[Fault]:
    """Yield faults for ever: all kinds in random order, again and again, now and then two at once.

    The same seed gives the same faults. `workers` are the ones that may be hit.
    """
    chance = random.Random(seed)

    def part(kind: Kind) -> tuple[Kind, str]:
        return kind, chance.choice(workers) if kind.victim == WORKER else kind.victim

    sudden = [kind for kind in kinds if kind.harm in (Harm.KILL, Harm.PAUSE)]
    victims = {kind.victim for kind in sudden}
    while True:
        for kind in chance.sample(kinds, len(kinds)):
            yield Fault(kind.name, (part(kind),), kind.stated_s)
            if pairs and len(victims) > 1 and chance.random() < 0.15:
                first = chance.choice(sudden)
                second = chance.choice([one for one in sudden if one.victim != first.victim])
                yield Fault(TWO_AT_ONCE, (part(first), part(second)), TWO_AT_ONCE_S)
