"""What a stored position is worth in the topic that has the name now; and what a task makes of it."""

import pytest

from streams.kernel.layout import encode_position, position_key, topic_key
from streams.kernel.memory import CrashPoint, MemoryChangelog, MemoryRecord, MemoryStore
from streams.kernel.ports import Output
from streams.kernel.sources import Sources, Standing
from streams.kernel.task import PartitionTask
from tests.topology.kernel import toy
from topics.command import command
from topics.registry import CART_ADD
from topics.wire import encode

ADDS = CART_ADD.name
NOW = 1_000


@pytest.mark.parametrize(
    ("position", "topic_id", "sources", "standing"),
    [
        (9, "first", Sources({ADDS: "first"}, {(ADDS, 0): 10}), Standing.GOOD),
        (9, "first", Sources({ADDS: "second"}, {(ADDS, 0): 10}), Standing.ANEW),
        (9, "first", Sources({ADDS: "first"}, {(ADDS, 0): 9}), Standing.CUT),
        (9, None, Sources({ADDS: "first"}, {(ADDS, 0): 10}), Standing.GOOD),
        (9, None, Sources({ADDS: "first"}, {(ADDS, 0): 9}), Standing.ANEW),
        (9, "first", Sources(), Standing.GOOD),
        (9, None, Sources(), Standing.GOOD),
    ],
)
def test_a_position_is_worth_something_in_its_own_topic(
    position: int, topic_id: str | None, sources: Sources, standing: Standing
) -> None:
    assert sources.standing(ADDS, 0, position, topic_id) is standing


class Nowhere:
    async def publish(self, outputs: list[Output]) -> None: ...


def task(store: MemoryStore, changelog: MemoryChangelog, sources: Sources) -> PartitionTask[toy.Count]:
    return PartitionTask(
        toy.FLOW,
        0,
        store=store,
        changelog=changelog.writer(),
        publisher=Nowhere(),  # type: ignore[arg-type] # it takes sequences, too
        clock=lambda: NOW,
        sources=sources,
    )


def adds(first: int, count: int) -> list[MemoryRecord]:
    value = encode(CART_ADD, command(CART_ADD, "cart", toy.pieces(1), occurred_at=NOW))
    return [
        MemoryRecord(ADDS, 0, offset, b"cart", value, (), NOW, offset)
        for offset in range(first, first + count)
    ]


async def test_a_source_that_was_made_anew_is_applied_from_its_beginning_once() -> None:
    store, changelog = MemoryStore(), MemoryChangelog(CrashPoint())
    before = task(store, changelog, Sources({ADDS: "first"}, {(ADDS, 0): 0}))
    await before.open()
    await before.apply(adds(0, 5))
    assert store.get(topic_key(ADDS)) == b"first"
    anew = Sources({ADDS: "second"}, {(ADDS, 0): 3})
    after = task(store, changelog, anew)
    await after.open()
    assert (after.anew, dict(after.positions)) == (frozenset({ADDS}), {})
    assert store.get(position_key(ADDS)) is None
    assert (await after.apply(adds(0, 3))).decided == 3
    # The changelog says the same to who restores from it, and it is begun anew once.
    restored = MemoryStore()
    for offset, entries in changelog.batches:
        restored.write(entries, offset)
    again = task(restored, changelog, anew)
    await again.open()
    assert (again.anew, dict(again.positions)) == (frozenset(), {ADDS: 2})
    assert (await again.apply(adds(0, 3))).decided == 0


async def test_a_state_of_an_older_release_gets_the_id_with_its_next_record() -> None:
    store, changelog = MemoryStore(), MemoryChangelog(CrashPoint())
    store.write([(position_key(ADDS), encode_position(4))], 0)
    going_on = task(store, changelog, Sources({ADDS: "first"}, {(ADDS, 0): 5}))
    await going_on.open()
    assert (going_on.anew, dict(going_on.positions)) == (frozenset(), {ADDS: 4})
    assert (await going_on.apply(adds(4, 2))).decided == 1
    assert store.get(topic_key(ADDS)) == b"first"


async def test_a_source_that_lost_its_end_is_gone_on_with_from_there() -> None:
    store, changelog = MemoryStore(), MemoryChangelog(CrashPoint())
    store.write([(position_key(ADDS), encode_position(9)), (topic_key(ADDS), b"first")], 0)
    cut = task(store, changelog, Sources({ADDS: "first"}, {(ADDS, 0): 6}))
    await cut.open()
    assert (cut.anew, dict(cut.positions)) == (frozenset(), {ADDS: 5})
    assert (await cut.apply(adds(6, 1))).decided == 1
