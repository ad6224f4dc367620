"""A worker that is started on a full changelog, and how long it takes until it serves again."""

import asyncio
import itertools
import os
import shutil
import signal
import sys
import time
from pathlib import Path

import psutil

from tests.bench.broker import Watch, fill
from tests.bench.ground import Contender, StalledError
from tests.bench.population import Population, sample
from tests.bench.step import InvariantError
from tests.stack import Stack

PROBES = 64
PATIENCE_S = 300.0
LOOK_S = 0.02


class StandingWorker:
    """The worker of a population's flow."""

    def __init__(self, stack: Stack, population: Population) -> None:
        settings = stack.settings
        name = population.flow.name
        self._settings = settings
        self._population = population
        self._contender = Contender(
            settings,
            (sys.executable, "-m", "tests.bench.contenders.flow", name, "0"),
            settings.data_dir / f"standing-{name}.log",
        )
        self._seeds = itertools.count(1)

    @property
    def directory(self) -> Path:
        """Return where its local state is."""
        return self._settings.data_dir / "worker-0"

    async def serve(self) -> float:
        """Start it, and return the seconds until keys of every partition were answered from their state.

        Raises InvariantError where an answer does not rest on the state that was there.
        """
        watch = Watch(self._settings, [self._population.answers.name])
        probes = [
            self._population.probe(key) for key in sample(self._population.keys, PROBES, next(self._seeds))
        ]
        try:
            # In the topic before it starts, as the commands of those who could not wait.
            await asyncio.to_thread(fill, self._settings, [parcel for _, parcel in probes])
            began = time.perf_counter()
            self._contender.start()
            return await self._answered({key.encode() for key, _ in probes}, watch, began)
        finally:
            watch.close()

    def resident(self) -> int:
        """Return its memory in bytes."""
        assert self._contender.process is not None
        return int(psutil.Process(self._contender.process.pid).memory_info().rss)

    def on_disk(self) -> int:
        """Return the bytes of its local state."""
        return sum(path.stat().st_size for path in self.directory.rglob("*") if path.is_file())

    def kill(self) -> None:
        """Kill it at once (SIGKILL)."""
        process = self._contender.process
        if process is not None and process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def forget(self) -> None:
        """Delete its local state."""
        shutil.rmtree(self.directory, ignore_errors=True)

    def stop(self) -> None:
        """Stop it as a supervisor does."""
        self._contender.stop()

    async def _answered(self, asked: set[bytes], watch: Watch, began: float) -> float:
        """Return the seconds until all that was asked is answered.

        What its last batch before had to say comes again first: the outputs of a crash, which are no answers.
        """
        looked_at = len(asked) - 1
        while True:
            come = await asyncio.to_thread(watch.come)
            seconds = time.perf_counter() - began
            if come > looked_at:
                looked_at = come
                answers = await asyncio.to_thread(
                    lambda: {key: value for _, _, key, value in watch.records()}
                )
                if asked <= answers.keys():
                    break
            self._contender.alive()
            if seconds > PATIENCE_S:
                raise StalledError(f"it does not serve in {PATIENCE_S:.0f} s\n{self._contender.tail()}")
            await asyncio.sleep(LOOK_S)
        for key in asked:
            if not self._population.shows(answers[key]):
                raise InvariantError(f"{key!r} was answered without the state that it had")
        return seconds
