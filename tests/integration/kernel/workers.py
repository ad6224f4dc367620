"""Toy workers as processes, to be killed; what they are fed, and what they made of it."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
from aiokafka import AIOKafkaConsumer
from confluent_kafka import Consumer, TopicPartition
from prometheus_client.parser import text_string_to_metric_families

from schemas.cart import CartUpdated
from schemas.envelope import Message
from tests.eventually import eventually, eventually_async
from tests.topology.kernel.toy import pieces
from topics.command import command
from topics.connection import aiokafka_options, librdkafka_options
from topics.producer import MessageProducer
from topics.registry import CART_ADD, CART_UPDATED
from topics.settings import PortOffset, Settings
from topics.wire import decode

APP_ID = "toy"


@dataclass
class Worker:
    index: int
    process: subprocess.Popen[bytes]
    log: Path

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def signal(self, which: signal.Signals) -> None:
        self.process.send_signal(which)

    def asleep(self) -> bool:
        """Tell whether it is stopped; it must not have ended."""
        assert self.process.poll() is None, self.log.read_text()[-3000:]
        return psutil.Process(self.process.pid).status() == psutil.STATUS_STOPPED

    def said(self, text: str) -> bool:
        return text in self.log.read_text()

    def stood_still(self) -> float:
        """Return the seconds of standstill for which it was ended."""
        (seconds,) = self._logged(r"worker stands still and is ended.* seconds=([\d.]+)")
        return float(seconds)

    def owned(self) -> int:
        """Return how many partitions it took over last; 0 where it has yet to take any."""
        return int(["0", *self._logged(r"partitions owned.* count=(\d+)")][-1])

    def takeovers(self) -> int:
        """Return how often it took over partitions."""
        return len(self._logged(r"partitions owned.* count=(\d+)"))

    def restored(self) -> int:
        """Return how many records it read at its last takeover."""
        return int(self._logged(r"state restored.* records=(\d+)")[-1])

    def _logged(self, pattern: str) -> list[str]:
        return re.findall(pattern, re.sub(r"\x1b\[\d*m", "", self.log.read_text()))

    def wait_ready(self, seconds: float = 60) -> None:
        def ready() -> bool:
            assert self.process.poll() is None, self.log.read_text()[-3000:]
            return self.said("partitions owned")

        eventually(ready, seconds=seconds)


class Workers:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._all: list[Worker] = []

    def __len__(self) -> int:
        """Return how many were started."""
        return len(self._all)

    def start(self, index: int = 0, *nature: str, **environment: str) -> Worker:
        log = self.settings.data_dir / f"worker-{len(self._all)}.log"
        with log.open("wb") as handle:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.integration.kernel.toy_worker", APP_ID, str(index), *nature],
                stdout=handle,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env={
                    **os.environ,
                    "ECOMMERCE_PORT_BASE": str(self.settings.port_base),
                    "ECOMMERCE_DATA_DIR": str(self.settings.data_dir),
                    "ECOMMERCE_CREDENTIALS": str(self.settings.credentials_file),
                    **environment,
                },
            )
        worker = Worker(index, process, log)
        self._all.append(worker)
        return worker

    def metric(self, worker: Worker, name: str) -> float:
        """Return a metric of a worker, all labels together."""
        address = f"http://127.0.0.1:{self.settings.port(PortOffset.WORKER_METRICS, worker.index)}"
        families = text_string_to_metric_families(httpx.get(address).text)
        return sum(sample.value for family in families for sample in family.samples if sample.name == name)

    def wipe(self, index: int = 0) -> None:
        """Lose a worker's disk."""
        shutil.rmtree(self.settings.data_dir / f"worker-{index}")

    def close(self) -> None:
        for worker in self._all:
            if worker.process.poll() is None:
                worker.process.send_signal(signal.SIGCONT)
                worker.kill()


async def feed(settings: Settings, count: int, keys: int, prefix: str) -> None:
    """Add one piece to each of `keys` carts in turn, `count` times over all."""
    async with MessageProducer(settings) as producer:
        for index in range(count):
            key = f"{prefix}-{index % keys}"
            await producer.send(CART_ADD, key, command(CART_ADD, key, pieces(1)))
        await producer.flush()


def produced(settings: Settings) -> int:
    """Return how many records the toy has published."""
    consumer = Consumer({**librdkafka_options(settings), "group.id": "watch"})
    try:
        return sum(
            consumer.get_watermark_offsets(TopicPartition(CART_UPDATED.name, partition), timeout=10)[1]
            for partition in range(settings.partitions)
        )
    finally:
        consumer.close()


async def outputs(settings: Settings, prefix: str) -> dict[str, list[Message[CartUpdated]]]:
    """Return all updates of the carts with a prefix, by cart, in the topic's order."""
    consumer = AIOKafkaConsumer(CART_UPDATED.name, **aiokafka_options(settings), auto_offset_reset="earliest")
    by_cart: dict[str, list[Message[CartUpdated]]] = defaultdict(list)
    await consumer.start()
    try:
        ends = await consumer.end_offsets(consumer.assignment())
        while any([await consumer.position(place) < end for place, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=500)).values():
                for record in records:
                    if record.key.startswith(f"{prefix}-".encode()):
                        by_cart[record.key.decode()].append(decode(CART_UPDATED, record.value))
    finally:
        await consumer.stop()
    return by_cart


async def distinct(settings: Settings, prefix: str) -> int:
    """Return how many different updates of the carts with a prefix were published."""
    by_cart = await outputs(settings, prefix)
    return len({event.event_id for events in by_cart.values() for event in events})


async def counted(settings: Settings, prefix: str, count: int, keys: int) -> None:
    """Wait until every record was counted, and see that each was counted once."""
    await eventually_async(lambda: distinct(settings, prefix), lambda have: have >= count, 60)
    assert_exact(await outputs(settings, prefix), count, keys)


def assert_exact(by_cart: dict[str, list[Message[CartUpdated]]], count: int, keys: int) -> int:
    """Check that every add was counted once and nothing contradicts; return how many outputs were doubled."""
    assert len(by_cart) == keys
    doubled = 0
    for cart, events in by_cart.items():
        by_id = {event.event_id: event for event in events}
        assert all(by_id[event.event_id] == event for event in events), f"{cart}: one id, two contents"
        totals = sorted(event.data.lines[0].quantity for event in by_id.values())
        assert totals == list(range(1, count // keys + 1)), f"{cart}: {totals}"
        doubled += len(events) - len(by_id)
    return doubled
