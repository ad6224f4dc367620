"""One step of the dataflow against the same step written otherwise: full topics in, outputs timed."""

import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from tests.bench.broker import Parcel, Watch, create, fill, stamp_on_arrival
from tests.bench.contenders.raw import OUTPUTS
from tests.bench.ground import CHECKOUT, Contender, drain
from tests.bench.quix_room import interpreter
from tests.bench.step import InvariantError, Sample
from tests.stack import Stack
from topics.connection import librdkafka_options

Came = tuple[str, bytes, bytes]
"""Topic, key and value of an output."""

BASELINES = ("faust", "quix", "raw")


@dataclass
class Entry:
    """A contender: how to start it, where it reads, and where its answers and other outputs go."""

    name: str
    processes: Sequence[Contender]
    answers: Sequence[str]
    others: Sequence[str] = ()
    said: set[bytes] = field(default_factory=set)

    @property
    def outputs(self) -> list[str]:
        """Return every topic that it writes to."""
        return [*self.answers, *self.others]


def flow_entry(
    stack: Stack, flow: str, answers: Sequence[str], others: Sequence[str], workers: int = 1
) -> Entry:
    """Return the real flow in `workers` real worker processes. The platform's topics must exist."""
    stamp_on_arrival(stack.settings, [*answers, *others])
    module = "tests.bench.contenders.flow"
    processes = [
        Contender(
            stack.settings,
            (*_profiled(flow), sys.executable, "-m", module, flow, str(index)),
            stack.settings.data_dir / f"candidate-{index}.log",
        )
        for index in range(workers)
    ]
    return Entry("candidate", processes, answers, others)


def _profiled(flow: str) -> tuple[str, ...]:
    """Return what to start a worker under, to have a flame graph of it: `BENCH_FLAMES` names its folder."""
    folder = os.environ.get("BENCH_FLAMES")
    if folder is None:
        return ()
    file = f"{folder}/{flow}-{time.time_ns()}.svg"
    spy = str(Path(sys.executable).with_name("py-spy"))
    return (spy, "record", "--gil", "--rate=500", "--format=flamegraph", f"--output={file}", "--")


def baseline_entry(stack: Stack, step: str, name: str) -> Entry:
    """Return a baseline with topics of its own, which are created."""
    prefix = f"bench-{step}-{name}"
    settings = stack.settings
    answers, *others = (f"{prefix}-{output}" for output in OUTPUTS[step])
    create(settings, [f"{prefix}-in", answers, *others])
    stamp_on_arrival(settings, [answers, *others])
    directory = settings.data_dir / prefix
    directory.mkdir()
    arguments = (step, prefix, str(settings.partitions), str(directory))
    environment: dict[str, str] = {}
    if name == "quix":
        script = CHECKOUT / "tests" / "bench" / "contenders" / "quix.py"
        command = [str(interpreter()), str(script), *arguments]
        # Not in the command line, which everybody on the machine reads.
        options = json.dumps(librdkafka_options(settings))
        environment = {"PATH": os.environ["PATH"], "PYTHONWARNINGS": "ignore", "BENCH_KAFKA": options}
    else:
        module = {"faust": "plain_faust", "raw": "raw"}[name]
        command = [sys.executable, "-m", f"tests.bench.contenders.{module}", *arguments]
    log = settings.data_dir / f"{prefix}.log"
    return Entry(name, [Contender(settings, command, log, environment)], [answers], others)


def source(step: str, name: str) -> str:
    """Return the topic that a baseline reads."""
    return f"bench-{step}-{name}-in"


async def preload(entry: Entry, stack: Stack, parcels: Iterable[Parcel], expected: int) -> list[Came]:
    """Let a contender take in what the measured load rests on; return its outputs."""
    await asyncio.to_thread(fill, stack.settings, parcels)
    watch = Watch(stack.settings, entry.outputs)
    try:
        await drain(entry.processes, watch, expected)
        return [(topic, key, value) for topic, _, key, value in watch.records()]
    finally:
        watch.close()


async def measure(
    entry: Entry,
    stack: Stack,
    parcels: Iterable[Parcel],
    check: Callable[[list[Came]], Awaitable[None]],
    ready: Callable[[], Awaitable[object]] | None = None,
) -> Sample:
    """Fill the contender's topics while it is down, start it, and time its answers by the broker's clock.

    With `ready` it is started before, and the topics are filled when that returns: several workers have to
    share the partitions first. The value is answers per second from the first batch's arrival to the last's;
    a command has one answer. What a new owner of a partition says again, byte for byte, is none.
    Raises InvariantError where an answer is missing, and what `check` raises over the outputs.
    """
    settings = stack.settings
    answers, outputs = Watch(settings, entry.answers), Watch(settings, entry.outputs)

    def repeated() -> int:
        values = [value for _, _, _, value in answers.records()]
        return len(values) - len(set(values) - entry.said)

    try:
        ahead = list(parcels)
        if ready is not None:
            for process in entry.processes:
                process.start()
            await ready()
        count = await asyncio.to_thread(fill, settings, ahead)
        drained = await drain(entry.processes, answers, count, repeated)
        # By topic too: the raw baseline says the same in each.
        first_said = {
            (record[0], record[3]): record
            for record in reversed(await asyncio.to_thread(lambda: list(outputs.records())))
            if record[3] not in entry.said
        }
        came = list(first_said.values())
    finally:
        for process in entry.processes:
            await asyncio.to_thread(process.stop)
        answers.close()
        outputs.close()
    entry.said.update(value for _, value in first_said)
    mine = set(entry.answers)
    times = sorted(at for topic, at, _, _ in came if topic in mine)
    if len(times) != count:
        raise InvariantError(f"{entry.name}: {len(times)} answers to {count} commands")
    await check([(topic, key, value) for topic, _, key, value in came])
    first, last = times[0], times[-1]
    after = sum(at > first for at in times)
    rate = after / max(last - first, 1) * 1_000
    figures = {"cpu us/event": drained.cpu * 1e6, "records out": float(len(came))}
    return Sample(rate, figures)


def as_json(fields: object) -> bytes:
    """Return a baseline's message."""
    return msgspec.json.encode(fields)
