"""Choosing the next step: any that is possible, by the seed's own taste for trouble."""

import random
from bisect import bisect
from collections.abc import Callable

from tests.simulation.gateway import MODES, OK
from tests.simulation.scene import Choice
from tests.simulation.world import World

_SLOWNESS = 0.95


class Scheduler:
    """Chooses steps for a world.

    Each seed has its own mix: some runs are nearly without faults and others hardly get anything done, so
    that rare things meet in different company.
    """

    def __init__(self, world: World, seed: int) -> None:
        self._world = world
        self._random = rng = random.Random(f"schedule {seed}")
        self._sinks = list(world.sinks)
        trouble = rng.choice((0.0, 0.2, 1.0, 1.0, 3.0))
        self._mix: list[tuple[Callable[[], Choice | None], float]] = [
            (self._lane, 50.0),
            (self._say, rng.choice((2.0, 6.0, 20.0))),
            (self._gateway, rng.choice((4.0, 12.0))),
            (self._sink, rng.choice((3.0, 12.0))),
            (self._fire, rng.choice((1.0, 4.0))),
            (self._tick, rng.choice((1.0, 6.0))),
            (self._commit, rng.choice((0.5, 3.0))),
            (self._worker_trouble, trouble * rng.choice((0.0, 1.0, 2.0))),
            (self._repeat, trouble * rng.choice((0.0, 0.5, 2.0))),
            (self._gateway_trouble, trouble * rng.choice((0.0, 0.5))),
            (self._sink_trouble, trouble * rng.choice((0.0, 0.5))),
            (self._compact, 0.2),
        ]
        # A die of its own: the schedules of seeds that make nothing anew stay what they were.
        self._die = random.Random(f"made anew {seed}")
        self._anew = self._die.choice((0.0, 0.0, 0.01, 0.05)) if trouble else 0.0
        self._kinds = [kind for kind, _ in self._mix]
        self._weights = [sum(weight for _, weight in self._mix[: at + 1]) for at in range(len(self._mix))]
        self._outages = rng.choice((0.0, 0.1, 0.5))
        self._batch = rng.choice((1, 3, 20))
        self._jumps = rng.choice((0.0, 0.02, 0.2))
        # What is slow all the time lets others overtake it by far.
        topics = sorted(world.consumed)
        self._slow_topics = frozenset(rng.sample(topics, rng.choice((0, 2, 6))))
        self._slow_flows = frozenset(rng.sample(sorted(world.cluster.flows), rng.choice((0, 1, 2))))

    def choose(self) -> Choice | None:
        """Return a step that looks possible, or None where this look found none."""
        if self._anew and self._die.random() < self._anew:
            return ("make-anew", self._die.choice(self._world.commands), self._die.randrange(8))
        return self._kinds[bisect(self._weights, self._random.random() * self._weights[-1])]()

    def idle(self) -> bool:
        """Say whether everything was said and done, so that only time and trouble are left."""
        world = self._world
        return (
            len(world.said) == len(world.shop.commands)
            and not world.gateway.busy()
            and not any(lane.busy() for worker in world.cluster.workers for lane in worker.lanes.values())
            and not any(sink.busy() for sink in world.sinks.values())
        )

    # -- work ------------------------------------------------------------------------------------------

    def _lane(self) -> Choice | None:
        rng = self._random
        busy = [
            (worker.index, lane)
            for worker in self._world.cluster.workers
            if worker.running
            for lane in worker.lanes.values()
            if lane.unit or lane.pending or lane.inbox.waiting
        ]
        if not busy:
            return None
        index, lane = busy[int(rng.random() * len(busy))]
        if lane.flow.name in self._slow_flows and rng.random() < _SLOWNESS:
            return None
        where = (index, lane.flow.name, lane.partition)
        waiting = lane.inbox.waiting
        if waiting and (not lane.pending or rng.random() < 0.3):
            topic, _ = rng.choice(list(waiting))
            if topic not in self._slow_topics or rng.random() > _SLOWNESS:
                return ("fetch", *where, topic, rng.randint(1, self._batch))
        if lane.unit is not None:
            return ("carry", *where)
        return ("work", *where) if lane.pending else None

    def _fire(self) -> Choice | None:
        due = [
            ("fire", worker.index, lane.flow.name, lane.partition)
            for worker in self._world.cluster.workers
            if worker.running
            for lane in worker.lanes.values()
            if lane.firing is not None or lane.due()
        ]
        unarmed = [
            ("arm", worker.index, lane.flow.name, lane.partition)
            for worker in self._world.cluster.workers
            if worker.running
            for lane in worker.lanes.values()
            if not lane.armed and not lane.opening
        ]
        resting = [
            ("rest", worker.index, lane.flow.name, lane.partition)
            for worker in self._world.cluster.workers
            if worker.running
            for lane in worker.lanes.values()
            if lane.idle()
        ]
        possible = due + unarmed + resting
        return self._random.choice(possible) if possible else None

    def _commit(self) -> Choice:
        if self._random.random() < 0.3:
            return ("gateway-commit",)
        return ("commit", self._some_worker())

    def _some_worker(self) -> int:
        return self._random.randrange(len(self._world.cluster.workers))

    def _say(self) -> Choice | None:
        world = self._world
        left = [index for index in range(len(world.shop.commands)) if index not in world.said]
        return ("say", self._random.choice(left[:3])) if left else None

    def _tick(self) -> Choice:
        rng = self._random
        if rng.random() < self._jumps:
            return ("tick", rng.choice((10_000, 60_000, 5 * 60_000, 16 * 60_000, 24 * 60_000)))
        return ("tick", rng.randint(1, 1_000))

    def _gateway(self) -> Choice | None:
        rng, gateway = self._random, self._world.gateway
        if gateway.inbox.waiting and rng.random() < 0.3:
            _, partition = rng.choice(list(gateway.inbox.waiting))
            return ("instruct", partition)
        ready = gateway.ready()
        if ready:
            mode = rng.choice(MODES) if rng.random() < self._outages else OK
            return ("provide", rng.choice(ready), mode)
        return None

    def _sink(self) -> Choice | None:
        rng = self._random
        name = rng.choice(self._sinks)
        sink = self._world.sinks[name]
        if sink.zombies and rng.random() < 0.1:
            return ("late-write", name, rng.randrange(len(sink.zombies)))
        if sink.unit is not None:
            return ("write", name, int(rng.random() < self._outages * 0.3))
        if sink.inbox.waiting or sink.member.in_hand:
            return ("poll", name, rng.randint(1, 4), rng.randint(1, self._batch), rng.randrange(50))
        return None

    # -- trouble ---------------------------------------------------------------------------------------

    def _worker_trouble(self) -> Choice | None:
        rng = self._random
        worker = self._world.cluster.workers[self._some_worker()]
        index, shift = worker.index, rng.randrange(8)
        if not worker.alive:
            return rng.choice((("start", index, shift), ("expire", index, shift)))
        if worker.stalled:
            return rng.choice((("wake", index), ("expire", index, shift), ("expire", index, shift)))
        if not worker.member:
            return ("hear", index, shift) if rng.random() < 0.2 else None
        return rng.choice(
            (
                ("crash", index, int(rng.random() < 0.4)),
                ("stall", index),
                ("stall", index),
                ("rebalance", shift, int(rng.random() < 0.7)),
                ("skew", index, rng.choice((0, -30_000, 5_000, 30_000))),
            )
        )

    def _repeat(self) -> Choice | None:
        logs = self._world.scene.broker.logs()
        (topic, partition), log = self._random.choice(list(logs.items()))
        if not log or topic not in self._world.consumed:
            return None
        return ("repeat", topic, partition, max(0, len(log) - 1 - self._random.randrange(6)))

    def _gateway_trouble(self) -> Choice:
        late = self._world.gateway.network.late
        if late and self._random.random() < 0.6:
            return ("arrive", self._random.randrange(len(late)))
        return self._random.choice((("gateway-crash",), ("gateway-succeed",)))

    def _sink_trouble(self) -> Choice:
        name = self._random.choice(self._sinks)
        return (self._random.choice(("sink-crash", "sink-succeed")), name)

    def _compact(self) -> Choice:
        place = self._random.choice(self._world.cluster.places)
        return ("compact", place.flow, place.partition)
