"""Which partitions stand still, by what is seen of them from time to time."""

from topics.lag import PartitionLag
from topics.standing import StandingStill


def at(committed: int, end: int, partition: int = 0) -> PartitionLag:
    return PartitionLag("g", "t", partition, committed, end, max(0, end - committed), 0.0)


def test_a_partition_in_which_something_waits_and_nothing_moves_stands_still() -> None:
    standing = StandingStill(60)
    standing.look(0, [at(5, 9), at(1, 2, 1)])
    standing.look(59, [at(5, 11), at(2, 3, 1)])
    assert standing.found == []
    standing.look(61, [at(5, 11), at(2, 3, 1)])
    (still,) = standing.found
    assert (still.offset, still.lag, still.seconds) == (5, 6, 61)
    assert str(still) == "g stands still at t/0/5 for 61 s, 6 records wait"
    standing.look(120, [at(6, 11), at(2, 3, 1)])
    assert [each.partition for each in standing.found] == [1]


def test_what_is_read_to_its_end_does_not_stand_still_and_begins_anew() -> None:
    standing = StandingStill(60)
    standing.look(0, [at(5, 5)])
    standing.look(100, [at(5, 6)])
    assert standing.found == []
    standing.look(160, [at(5, 6)])
    assert len(standing.found) == 1
    standing.look(170, [at(6, 6)])
    standing.look(171, [at(6, 7)])
    assert standing.found == []
