"""What became of a command is found in the topics, where no API was there to hear it."""

import asyncio
import time
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast
from uuid import uuid4

import msgspec
import pytest

from api.command_records import CommandRecord, Status
from api.ends import TopicEnds
from schemas.cart import CartAdd, CartLine, CartRejected, CartStatus, CartUpdated
from schemas.checkout import CheckoutFailed, CheckoutRequested
from schemas.envelope import Message, output_id
from streams.kernel.dead_letters import dead_letter
from topics import registry as t
from topics.command import command
from topics.producer import MessageProducer
from topics.settings import Settings
from topics.topic import RawTopic, Topic
from topics.wire import encode

pytestmark = pytest.mark.usefixtures("topics_created")

ADDED = CartAdd((CartLine("A", "A", 1),))
STATE = CartUpdated(CartStatus.OPEN, ADDED.lines, None, None, 1)
REFUSED = CartRejected("ecommerce.cart.add", "cart_frozen", "cart", "it is being paid")


def record(topic: Topic[Any], message: Message[Any], outcome_key: str | None = None) -> CommandRecord:
    long_ago = time.time_ns() // 1_000_000 - 10_000
    return CommandRecord(
        message.event_id,
        topic.name,
        message.aggregate_id,
        "cart:x",
        Status.ACCEPTED,
        long_ago,
        outcome_key=outcome_key,
    )


async def tell(
    settings: Settings, told: Sequence[tuple[Topic[Any], str, msgspec.Struct, str]], *letters: Any
) -> None:
    async with MessageProducer(settings, "test-ends") as producer:
        for topic, key, data, cause in told:
            message = command(topic, key, data, event_id=output_id(cause, topic.name, 0))
            message = msgspec.structs.replace(message, causation_id=cause, aggregate_version=3)
            await producer.send_and_wait(topic, key, message)
        for letter in letters:
            letters_topic = RawTopic(letter.topic)
            await (await producer.send_raw(letters_topic, letter.key, letter.value, letter.headers))


@pytest.mark.parametrize(
    ("topic", "data", "status"),
    [(t.CART_UPDATED, STATE, Status.SUCCEEDED), (t.CART_REJECTED, REFUSED, Status.REJECTED)],
)
async def test_an_end_that_nobody_heard_is_found(
    settings: Settings, topic: Topic[Any], data: msgspec.Struct, status: Status
) -> None:
    cart, other = str(uuid4()), str(uuid4())
    sent = command(t.CART_ADD, cart, ADDED)
    told = [
        (topic, cart, data, str(uuid4())),
        (topic, cart, data, sent.event_id),
        (topic, other, data, str(uuid4())),
    ]
    await tell(settings, told)
    ended = await TopicEnds(settings).of(record(t.CART_ADD, sent))
    assert ended is not None
    assert (ended.status, ended.event, ended.version) == (status, topic.name, 3)


async def test_a_checkout_s_end_is_found_under_its_order(settings: Settings) -> None:
    order, cart = str(uuid4()), str(uuid4())
    sent = command(t.CHECKOUT_REQUESTED, cart, CheckoutRequested(order, "GBP", "tok"))
    failed = CheckoutFailed(cart, "out_of_stock", "none left")
    await tell(settings, [(t.CHECKOUT_FAILED, order, failed, str(uuid4()))])
    ended = await TopicEnds(settings).of(record(t.CHECKOUT_REQUESTED, sent, order))
    assert ended is not None
    assert (ended.status, ended.event) == (Status.REJECTED, t.CHECKOUT_FAILED.name)


async def test_a_dead_letter_is_an_end_until_it_was_sent_again(settings: Settings) -> None:
    cart = str(uuid4())
    sent = command(t.CART_ADD, cart, ADDED)
    kept = record(t.CART_ADD, sent)
    value = encode(t.CART_ADD, sent)
    lain = SimpleNamespace(
        topic=t.CART_ADD.name, partition=0, offset=9, timestamp=1, key=cart.encode(), value=value, headers=()
    )
    letter = dead_letter(
        cast("Any", lain),
        t.DEAD_LETTERS["cart"],
        ValueError("no"),
        flow="ecommerce.cart",
        attempt=1,
        failed_at=1,
    )
    await tell(settings, [], letter)
    ended = await TopicEnds(settings).of(kept)
    assert ended is not None
    assert (ended.status, ended.event) == (Status.FAILED, t.DEAD_LETTERS["cart"].name)
    await tell(settings, [(t.CART_UPDATED, cart, STATE, sent.event_id)])
    again = await TopicEnds(settings).of(ended)
    assert again is not None
    assert again.status is Status.SUCCEEDED


async def test_what_is_under_way_or_was_looked_for_just_now_is_left(settings: Settings) -> None:
    sent = command(t.CART_ADD, str(uuid4()), ADDED)
    ends, kept = TopicEnds(settings), record(t.CART_ADD, sent)
    assert await ends.of(msgspec.structs.replace(kept, accepted_at=time.time_ns() // 1_000_000)) is None
    begun = time.monotonic()
    assert await asyncio.wait_for(ends.of(kept), 5) is None
    assert time.monotonic() - begun < 4
    await tell(settings, [(t.CART_UPDATED, sent.aggregate_id, STATE, sent.event_id)])
    assert await ends.of(kept) is None
    assert await TopicEnds(settings).of(kept) is not None
