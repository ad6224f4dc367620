"""Every consumer of the running platform gets past what nobody should have written, and goes on."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx
import msgspec
from aiokafka import TopicPartition
from confluent_kafka import murmur2

from schemas.cart import CartAdd, CartLine
from schemas.payment import PaymentInstruction, PaymentOperation
from tests.e2e.conftest import Platform
from tests.eventually import eventually
from tests.odd_records import ODD, Odd, produced
from topics.command import command
from topics.registry import CART_ADD, DEAD_LETTERS, PAYMENT_INSTRUCT, TOPICS
from topics.topic import Kind, Topic
from topics.wire import encode

SKU = "ODD-1"
BIG = ("header of 500 kB", "key of 900 kB", "1.04 MB of junk")
CARD = {"card_number": "4242424242424242", "expiry": "12/30", "cvc": "123"}
ADDRESS = {
    "name": "Ada Lovelace",
    "country": "GB",
    "line1": "12 St James's Square",
    "city": "London",
    "postcode": "SW1Y 4JH",
}


def sound(topic: Topic[msgspec.Struct], partition: int, partitions: int) -> tuple[bytes, bytes]:
    """A key of the partition and a message under it, where the topic is one of those that are tried whole."""
    key = next(
        key for key in iter(lambda: str(uuid4()), "") if murmur2(key.encode(), partitions) == partition
    )
    if topic is CART_ADD:
        added = CartAdd((CartLine(SKU, SKU, 1),))
        return key.encode(), encode(CART_ADD, command(CART_ADD, key, added))
    if topic is PAYMENT_INSTRUCT:
        void = PaymentInstruction(PaymentOperation.VOID, f"void-{key}", 1, "GBP", "", 1, "nothing")
        return key.encode(), encode(PAYMENT_INSTRUCT, command(PAYMENT_INSTRUCT, key, void))
    return key.encode(), b"\x00junk"


async def send_all(platform: Platform) -> None:
    settings = platform.settings
    for topic in TOPICS.values():
        whole = topic in (CART_ADD, PAYMENT_INSTRUCT)
        partitions = topic.partitions or settings.partitions
        # One record that stops a partition stops its worker, so one partition of each topic tells.
        for partition in range(partitions if whole else 1):
            records: list[tuple[Odd, bytes, bytes]] = []
            for name, odd in ODD.items():
                if whole or name not in BIG or topic.kind is Kind.HEALTH:
                    records.append((odd, *sound(topic, partition, partitions)))
            await produced(settings, TopicPartition(topic.name, partition), records)
    letters = [(odd, b"k", b"v") for name, odd in ODD.items() if name != "a time ahead"]
    for dead in DEAD_LETTERS.values():
        await produced(settings, TopicPartition(dead.name, 0), letters)


def processes(platform: Platform) -> dict[str, int]:
    return {
        each["name"]: each["pid"]
        for each in msgspec.json.decode(platform.run("status", "--json").stdout)["processes"]
    }


def taken(send: Callable[[], httpx.Response], *not_yet: int) -> httpx.Response:
    """The answer, once a busy machine's API takes the request, and tells more than `not_yet`."""
    return eventually(send, lambda answer: answer.status_code not in (503, *not_yet), seconds=150)


def bought(platform: Platform) -> str:
    """A guest puts the product into a cart, buys it, and reads the order back from the view."""
    with httpx.Client(base_url=f"{platform.settings.api_url}/api/v1", timeout=60) as shopper:
        waits = {"Prefer": "wait=30"}
        added = taken(lambda: shopper.post("/cart/items", json={"sku": SKU}, headers=waits), 202)
        assert added.status_code == 200, added.text
        shopper.headers["X-Cart-Id"] = added.json()["cart_id"]
        cart = added.json()
        shown = {"cart_version": cart["version"], "total": cart["total"]}
        asked = {"payment": CARD, "address": ADDRESS, "email": "ada@example.com", **shown}
        headers = waits | {"Idempotency-Key": str(uuid4())}
        order = taken(lambda: shopper.post("/checkout", json=asked, headers=headers))
        assert order.status_code in (201, 202), order.text
        path = f"/orders/{order.json()['order_id']}"

        def confirmed(answer: httpx.Response) -> bool:
            return answer.status_code == 200 and answer.json()["status"] not in ("requested", "placed")

        seen = eventually(lambda: shopper.get(path), confirmed, seconds=120)
        return str(seen.json()["status"])


def test_every_consumer_goes_on(platform: Platform) -> None:
    platform.stock(SKU, "Odd Mug", 500, 1_000)
    before = processes(platform)
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, send_all(platform)).result()
    # In every partition: twelve carts, and as many orders, fall to all four.
    assert {bought(platform) for _ in range(12)} <= {"confirmed", "processing"}
    platform.stock("ODD-2", "Even Mug", 500, 10)
    assert processes(platform) == before, "a process has ended"
    listed = msgspec.json.decode(platform.run("dlq", "list", "--all", "--json").stdout)
    assert listed["count"] > len(ODD)
    platform.run("dlq", "list", "--all")
    platform.run("tap", CART_ADD.name, "--format", "pretty")
    for form in ("json", "csv", "table"):
        platform.run("tap", "*", "--limit", "3000", "--format", form)
    eventually(
        lambda: msgspec.json.decode(platform.run("lag", "--json").stdout),
        lambda told: told["records"] == 0,
        seconds=60,
    )
