import asyncio

import pytest

from api.heard import Heard
from api.listening import Record
from api.outcomes import LETTERS, LISTENED
from api.tail import Dispatcher, Tail
from schemas.cart import CartRejected, CartStatus, CartUpdated
from schemas.envelope import Message
from tests.odd_records import ODD
from tests.unit.api.fakes import FakeBroker
from topics.command import command
from topics.registry import CART_ADD, CART_REJECTED, CART_UPDATED
from topics.settings import Settings
from topics.wire import encode

CART = CartUpdated(CartStatus.OPEN, (), None, None, 1)


async def test_only_the_key_and_topics_that_are_waited_for_are_heard() -> None:
    tail = Dispatcher(LISTENED)
    broker = FakeBroker(tail)
    with tail.subscribe("cart-1", (CART_UPDATED,)) as heard:
        broker.tell(CART_UPDATED, "cart-2", CART, 1)
        broker.tell(CART_REJECTED, "cart-1", CartRejected("add", "r", "f", "d"), 1)
        broker.tell(CART_UPDATED, "cart-1", CART, 7)
        found = await heard.next(1)
        assert found is not None
        assert found.message.aggregate_version == 7
        assert await heard.next(0.01) is None


async def test_what_nobody_waits_for_is_not_even_decoded() -> None:
    tail = Dispatcher(LISTENED)
    tail.dispatch(CART_UPDATED.name, b"cart-1", b"not decodable")
    with tail.subscribe("cart-1", (CART_UPDATED,)) as heard:
        tail.dispatch(CART_UPDATED.name, b"cart-1", b"not decodable")
        tail.dispatch(CART_UPDATED.name, b"cart-1", None)
        tail.dispatch(CART_UPDATED.name, None, b"no key")
        assert await heard.next(0.01) is None


async def test_all_who_wait_for_a_key_hear_it_and_leave_no_trace() -> None:
    tail = Dispatcher(LISTENED)
    broker = FakeBroker(tail)
    with tail.subscribe("cart-1", (CART_UPDATED,)) as one, tail.subscribe("cart-1", (CART_UPDATED,)) as two:
        broker.tell(CART_UPDATED, "cart-1", CART, 1)
        assert await one.next(1) is not None
        assert await two.next(1) is not None
    assert tail._waiting == {}


async def test_first_skips_what_does_not_match() -> None:
    tail = Dispatcher(LISTENED)
    broker = FakeBroker(tail)

    def third(heard: Heard) -> bool:
        message: Message[CartUpdated] = heard.message
        return message.aggregate_version == 3

    with tail.subscribe("cart-1", (CART_UPDATED,)) as heard:
        waiting = asyncio.create_task(heard.first(third, 1))
        for version in (1, 2, 3):
            broker.tell(CART_UPDATED, "cart-1", CART, version)
        found = await waiting
        assert found is not None
        assert await heard.first(third, 0.01) is None


async def test_a_reader_that_is_stuck_costs_no_memory() -> None:
    tail = Dispatcher(LISTENED)
    broker = FakeBroker(tail)
    with tail.subscribe("cart-1", (CART_UPDATED,)) as heard:
        for version in range(1100):
            broker.tell(CART_UPDATED, "cart-1", CART, version)
        assert heard._queue.qsize() == 1000


def test_a_topic_that_is_not_listened_to_cannot_be_waited_for() -> None:
    with pytest.raises(ValueError, match=r"ecommerce\.cart\.add"):
        Dispatcher(LISTENED).subscribe("cart-1", (CART_ADD,))


async def test_no_record_ends_what_all_others_hear() -> None:
    tail = Tail(Settings(), LISTENED)
    good = encode(CART_UPDATED, command(CART_UPDATED, "cart-1", CART))

    def listen(key: bytes, _: bytes) -> None:
        if key != b"cart-1":
            raise ValueError("what a listener cannot take")

    tail.listen(CART_UPDATED, listen)
    odd = [odd.of(b"cart-0", good) for odd in ODD.values()]
    with tail.subscribe("cart-1", (CART_UPDATED,)) as heard:
        tail.take(
            Record(CART_UPDATED.name, key, value)
            for key, value in (*odd, (b"cart-1", b"not decodable"), (b"cart-1", good))
        )
        assert await heard.next(5) is not None


def test_only_what_is_waited_for_or_listened_to_is_handed_to_the_loop() -> None:
    tail = Dispatcher(LISTENED, LETTERS)
    letters = LETTERS[0].name
    tail.listen(CART_UPDATED, lambda _key, _value: None)
    assert tail.wants(CART_UPDATED.name, b"cart-2"), "it has a listener"
    assert not tail.wants(CART_UPDATED.name, None)
    assert not tail.wants(CART_REJECTED.name, b"cart-1")
    assert not tail.wants(letters, b"cart-1")
    with tail.subscribe("cart-1", (CART_REJECTED,), "command-1"):
        assert tail.wants(CART_REJECTED.name, b"cart-1")
        assert not tail.wants(CART_REJECTED.name, b"cart-2")
        assert tail.wants(letters, b"any"), "a letter's command is known only once it is read"
    assert not tail.wants(CART_REJECTED.name, b"cart-1")
    assert not tail.wants(letters, b"any")
