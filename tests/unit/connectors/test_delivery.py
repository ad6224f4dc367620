"""Bisection and refusals, with a sink in memory."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.runtime.delivery import deliver
from connectors.runtime.record import Record
from connectors.runtime.sink import BatchRefusedError, Entry, Refusal, SinkUnavailableError


class Memory:
    """Refuses batches that hold one of `bad`, as a whole or by name."""

    def __init__(self, bad: set[int], *, names: bool = False) -> None:
        self.bad = bad
        self.names = names
        self.written: list[int] = []
        self.calls = 0

    async def write(self, batch: Sequence[Entry[int]]) -> Sequence[Refusal]:
        self.calls += 1
        rows = [row for entry in batch for row in entry.rows]
        if self.names:
            self.written += [row for row in rows if row not in self.bad]
            return [Refusal(index, "bad") for index, entry in enumerate(batch) if self.bad & {*entry.rows}]
        if self.bad.intersection(rows):
            raise BatchRefusedError("bad")
        self.written += rows
        return ()

    async def close(self) -> None:
        return None


def entries(count: int) -> list[Entry[int]]:
    return [Entry(Record("t", 0, offset, 0, None, None), (offset,)) for offset in range(count)]


async def delivered(sink: Memory, count: int) -> list[int]:
    refused: list[int] = []

    async def refuse(entry: Entry[int], error: BaseException | str) -> None:
        assert str(error) == "bad"
        refused.append(entry.record.offset)

    await deliver(sink, entries(count), refuse)
    return refused


@settings(deadline=None)
@given(count=st.integers(1, 60), data=st.data(), names=st.booleans())
async def test_exactly_the_bad_entries_are_refused_and_the_rest_is_written_in_order(
    count: int, data: st.DataObject, *, names: bool
) -> None:
    bad = data.draw(st.sets(st.integers(0, count - 1)))
    sink = Memory(bad, names=names)
    assert await delivered(sink, count) == sorted(bad)
    assert sink.written == [each for each in range(count) if each not in bad]


async def test_one_bad_entry_costs_a_logarithm_of_writes() -> None:
    sink = Memory({700})
    assert await delivered(sink, 1024) == [700]
    assert sink.calls <= 2 * 10 + 1


async def test_a_server_that_is_away_is_not_an_entrys_fault() -> None:
    class Away(Memory):
        async def write(self, batch: Sequence[Entry[int]]) -> Sequence[Refusal]:
            if len(batch) == 1:
                raise SinkUnavailableError("gone")
            return await super().write(batch)

    with pytest.raises(SinkUnavailableError):
        await delivered(Away({1}), 4)
