"""Standbys: who takes over from a worker that leaves or dies reads only the tails, and counts on exactly."""

import asyncio
import signal

from tests.eventually import eventually
from tests.integration.kernel.workers import Worker, Workers, counted, feed
from topics.settings import Settings

STANDBY = {"ECOMMERCE_WORKER_STANDBYS": "1"}
KEYS = 1_000
# An ownership record per partition, and what may have been on its way; a share of the state is far more.
TAIL = KEYS // 10


class Group:
    """Workers that follow one another, and what they do together."""

    def __init__(self, workers: Workers, settings: Settings) -> None:
        self.workers = workers
        self.settings = settings
        self.members: list[Worker] = []
        self.rounds = 0

    async def join(self) -> Worker:
        worker = self.workers.start(len(self.members), **STANDBY)
        self.members.append(worker)
        await asyncio.to_thread(worker.wait_ready)
        await self.owned()
        return worker

    async def owned(self) -> None:
        """Wait until every partition has its one owner."""
        partitions = self.settings.partitions
        await asyncio.to_thread(
            eventually, lambda: sum(member.owned() for member in self.members) == partitions
        )

    async def round(self) -> None:
        """Add to every cart, and wait until that is counted, all timers have fired, and all are followed."""
        before = self._sum("ecommerce_stream_records_total")
        await feed(self.settings, KEYS, KEYS, "standby")
        self.rounds += 1
        await asyncio.to_thread(
            eventually, lambda: self._sum("ecommerce_stream_records_total") - before >= 2 * KEYS, seconds=60
        )
        await counted(self.settings, "standby", self.rounds * KEYS, KEYS)
        await self.followed()

    async def followed(self) -> None:
        """Wait until a copy of every partition is complete, where there are others to keep one."""
        copies = self.settings.partitions if len(self.members) > 1 else 0

        def complete() -> bool:
            partitions = self._sum("ecommerce_stream_standby_partitions")
            return partitions == copies and self._sum("ecommerce_stream_standby_behind_records") == 0

        await asyncio.to_thread(eventually, complete)

    async def lose(self, worker: Worker) -> None:
        """Wait until the others have what it owned."""
        self.members.remove(worker)
        await self.owned()

    def _sum(self, metric: str) -> float:
        return sum(self.workers.metric(member, metric) for member in self.members)


async def test_standbys_take_over_from_who_leaves_and_from_who_is_killed(
    workers: Workers, own_settings: Settings
) -> None:
    group = Group(workers, own_settings)
    first, second = await group.join(), await group.join()
    await group.round()
    third = await group.join()
    assert third.restored() > TAIL, "it has followed nothing before"
    await group.followed()
    first.signal(signal.SIGTERM)
    assert await asyncio.to_thread(first.process.wait, 20) == 0
    await group.lose(first)
    assert max(second.restored(), third.restored()) < TAIL
    await group.round()
    second.kill()
    await group.lose(second)
    assert third.restored() < TAIL
    await group.round()
    assert third.process.poll() is None
