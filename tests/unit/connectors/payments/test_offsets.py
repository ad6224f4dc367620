"""A partition is committed only up to its lowest unfinished record."""

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.payments.offsets import Progress


def test_records_finish_in_any_order() -> None:
    progress = Progress()
    assert progress.uncommitted() is None
    for offset in (7, 8, 10):
        progress.begin(offset)
    assert progress.uncommitted() == 7
    progress.commit(7)
    progress.finish(8)
    assert progress.uncommitted() is None
    progress.finish(7)
    assert progress.uncommitted() == 10
    progress.finish(10)
    assert progress.uncommitted() == 11
    progress.commit(11)
    assert progress.uncommitted() is None


@settings(print_blob=True)
@given(gaps=st.lists(st.integers(1, 3), min_size=1, max_size=30), data=st.data())
def test_nothing_unfinished_is_ever_below_the_position(gaps: list[int], data: st.DataObject) -> None:
    progress, unfinished, offset = Progress(), set[int](), 0
    for gap in gaps:
        offset += gap
        progress.begin(offset)
        unfinished.add(offset)
        if data.draw(st.booleans()):
            done = data.draw(st.sampled_from(sorted(unfinished)))
            progress.finish(done)
            unfinished.discard(done)
        assert progress.position == min(unfinished, default=offset + 1)
