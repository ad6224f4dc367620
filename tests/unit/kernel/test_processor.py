"""How a run of records becomes a batch that fits."""

from dataclasses import replace
from typing import TypeVar

import msgspec
import pytest

from schemas.cart import CartAdd, CartChange, CartLine, CartRemove
from schemas.envelope import Message
from streams.kernel.errors import CorruptStateError
from streams.kernel.flow import Decision, Flow, Route
from streams.kernel.memory import MemoryRecord, MemoryStore
from streams.kernel.processor import MAX_ATTEMPTS, Processor
from streams.kernel.view import StateView
from tables.table import Table
from tests.topology.kernel import toy
from topics.command import command
from topics.registry import CART_ADD, CART_CHANGE, CART_REMOVE
from topics.skips import Skip, Skips
from topics.topic import Topic
from topics.wire import encode

D = TypeVar("D", bound=msgspec.Struct)


class Blob(msgspec.Struct, frozen=True):
    data: bytes


BLOBS = Table("cart", Blob)


def grow(_: Blob | None, message: Message[CartAdd]) -> Decision[Blob]:
    return Decision(Blob(b"x" * message.data.lines[0].quantity))


def wrong(_: Blob | None, __: Message[CartRemove]) -> Decision[Blob]:
    return Decision(toy.Count(1, 1))  # type: ignore[arg-type] # what the kernel must refuse


FLOW: Flow[Blob] = Flow("blobs", BLOBS, (Route(CART_ADD, grow), Route(CART_REMOVE, wrong)))


def record(topic: Topic[D], offset: int, key: str, data: D) -> MemoryRecord:
    value = encode(topic, command(topic, key, data))
    return MemoryRecord(topic.name, 0, offset, key.encode(), value, (), 0, offset)


def add(offset: int, size: int) -> MemoryRecord:
    return record(CART_ADD, offset, f"k{offset}", CartAdd((CartLine("line", "sku", size),)))


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def view(store: MemoryStore) -> StateView[Blob]:
    return StateView(BLOBS, store)


def processor(limit: int) -> Processor[Blob]:
    return Processor(FLOW, lambda: 0, limit)


def test_a_batch_that_is_too_large_is_halved_until_it_fits(view: StateView[Blob]) -> None:
    batch = processor(1_000).run([add(offset, 300) for offset in range(8)], view, {})
    assert batch.consumed == batch.decided == 2
    assert batch.size() <= 1_000
    assert batch.positions == {CART_ADD.name: 1}
    assert set(view.settle()) == {b"k0", b"k1"}


def test_a_decision_that_can_never_fit_is_dead_lettered_alone(view: StateView[Blob]) -> None:
    records = [add(0, 10), add(1, 100_000), add(2, 10)]
    runner = processor(8_000)
    positions: dict[str, int] = {}
    letters = []
    while records:
        batch = runner.run(records, view, positions)
        records = records[batch.consumed :]
        positions |= batch.positions
        letters += batch.outputs
        view.settle()
    (letter,) = letters
    assert dict(letter.headers)["reason"] == b"too_large"
    assert dict(letter.headers)["source_offset"] == b"1"
    assert view.get(b"k1") is None
    assert view.get(b"k2") == Blob(b"x" * 10)


def test_a_state_of_another_kind_is_refused(view: StateView[Blob]) -> None:
    batch = processor(10_000).run([record(CART_REMOVE, 0, "k", CartRemove("line"))], view, {})
    assert dict(batch.outputs[0].headers)["reason"] == b"invalid_decision"
    assert view.settle() == {}


def test_a_key_that_holds_nul_never_meets_the_kernels_own(view: StateView[Blob]) -> None:
    keys = (b"\x00outbox", b"sku\x00order")
    records = [replace(add(offset, 1), key=key) for offset, key in enumerate(keys)]
    batch = Processor(FLOW, lambda: 0, 10_000).run(records, view, {})
    assert (batch.dead_letters, batch.changes) == (2, [])


def test_records_of_the_state_are_skipped_and_missing_ones_counted(view: StateView[Blob]) -> None:
    runner = processor(10_000)
    batch = runner.run([add(3, 1), add(4, 1), add(5, 1), add(9, 1)], view, {CART_ADD.name: 4})
    assert (batch.skipped, batch.decided, batch.missing) == (2, 2, 3)


def test_state_that_does_not_decode_is_never_skipped(store: MemoryStore, view: StateView[Blob]) -> None:
    store.write([(b"k0", b"\xff")], 0)
    with pytest.raises(CorruptStateError, match="table cart, key b'k0'"):
        processor(10_000).run([add(0, 1)], view, {})


def test_attempts_back_off_and_the_decided_part_is_not_held_back() -> None:
    toy.Flaky.times = 1_000
    view = StateView(toy.COUNTS, MemoryStore())
    runner = Processor(toy.FLOW, lambda: 0, 100_000)
    failing = record(CART_CHANGE, 0, "c", CartChange("line", 1))
    first = runner.run([record(CART_ADD, 0, "c", toy.pieces(1)), failing], view, {})
    assert (first.consumed, first.retry_in) == (1, 0.0)
    view.settle()
    waits = []
    while (batch := runner.run([failing], view, {})).retry_in is not None:
        waits.append(batch.retry_in)
    toy.Flaky.times = 0
    assert waits == sorted(waits)
    assert len(waits) == MAX_ATTEMPTS - 2
    assert dict(batch.outputs[0].headers)["attempt"] == str(MAX_ATTEMPTS).encode()


def test_the_cache_is_bounded_and_the_store_has_the_rest(store: MemoryStore) -> None:
    view = StateView(BLOBS, store, limit=10)
    for index in range(100):
        view.put(f"k{index}".encode(), Blob(str(index).encode()))
        store.write(view.encode(), index)
        view.settle()
    assert len(view._cache) <= 10
    assert view.get(b"k0") == Blob(b"0")
    assert dict(view.scan())[b"k99"] == Blob(b"99")


def test_a_record_that_is_to_be_left_is_buried_without_a_look_at_its_state(
    store: MemoryStore, view: StateView[Blob]
) -> None:
    store.write([(b"k1", b"\xff")], 0)
    skips = Skips()
    skips.add(Skip("blobs", CART_ADD.name, 0, 1, "ann", "its state is broken", 5))
    skips.add(Skip("another", CART_ADD.name, 0, 2, "ann", "is not for us", 5))
    batch = Processor(FLOW, lambda: 0, 10_000, skips).run([add(0, 1), add(1, 1), add(2, 1)], view, {})
    assert (batch.decided, batch.dead_letters, batch.positions) == (3, 1, {CART_ADD.name: 2})
    headers = dict(batch.outputs[0].headers)
    assert (headers["reason"], headers["error"]) == (b"skipped", b"skipped by ann: its state is broken")
    assert headers["source_offset"] == b"1"
