import pytest

from tables.applied import remembered


@pytest.mark.parametrize(
    ("limit", "kept"), [(1, ("c",)), (2, ("b", "c")), (3, ("a", "b", "c")), (9, ("a", "b", "c"))]
)
def test_the_ring_keeps_the_latest(limit: int, kept: tuple[str, ...]) -> None:
    ring: tuple[str, ...] = ()
    for command_id in "abc":
        ring = remembered(ring, command_id, limit)
    assert ring == kept
