"""The ceiling: aiokafka alone reads a record and sends as many bytes as the step's outputs have; no logic.

`python -m tests.bench.contenders.raw STEP PREFIX PARTITIONS DATA_DIR`
"""

import asyncio
import signal
import sys

import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from topics.connection import aiokafka_options
from topics.settings import Settings

OUTPUTS = {"stock": ("answers", "levels"), "cart": ("answers",)}


async def main() -> None:
    step, prefix = sys.argv[1:3]
    settings = Settings()
    topics = [f"{prefix}-{name}" for name in OUTPUTS[step]]
    consumer = AIOKafkaConsumer(
        f"{prefix}-in",
        **aiokafka_options(settings),
        group_id=prefix,
        auto_offset_reset="earliest",
        max_poll_records=2_000,
    )
    producer = AIOKafkaProducer(**aiokafka_options(settings), acks="all")
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    await producer.start()
    await consumer.start()
    while not stopping.is_set():
        for records in (await consumer.getmany(timeout_ms=500)).values():
            for record in records:
                for topic in topics:
                    await producer.send(topic, record.value, record.key)
        await producer.flush()
        await consumer.commit()
    await consumer.stop()
    await producer.stop()


if __name__ == "__main__":
    uvloop.run(main())
