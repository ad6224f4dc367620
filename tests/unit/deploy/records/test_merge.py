from collections.abc import Iterator
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from deploy.records.merge import Merge
from deploy.records.record import Record


def record(partition: int, offset: int, timestamp: int) -> Record:
    return Record("t", partition, offset, timestamp, None, None)


def drained(merge: Merge) -> Iterator[Record]:
    while (one := merge.pop()) is not None:
        yield one


def test_waits_for_a_partition_that_may_have_something_earlier() -> None:
    merge = Merge([("t", 0), ("t", 1)])
    merge.add(record(0, 0, 100))
    assert merge.pop() is None
    merge.add(record(1, 0, 50))
    assert merge.pop() == record(1, 0, 50)
    assert merge.pop() is None
    merge.close(("t", 1))
    assert merge.pop() == record(0, 0, 100)
    assert not merge.done
    merge.close(("t", 0))
    assert merge.done


@given(
    partitions=st.lists(st.lists(st.integers(0, 1_000), max_size=20), min_size=1, max_size=4),
    order=st.randoms(use_true_random=False),
)
def test_merges_by_time_and_keeps_each_partitions_order(partitions: list[list[int]], order: Random) -> None:
    queues = {
        number: [record(number, offset, stamp) for offset, stamp in enumerate(sorted(stamps))]
        for number, stamps in enumerate(partitions)
    }
    total = sum(map(len, queues.values()))
    merge = Merge(("t", number) for number in queues)
    seen: list[Record] = []
    while queues:
        number = order.choice(sorted(queues))
        if queues[number]:
            merge.add(queues[number].pop(0))
        else:
            merge.close(("t", number))
            del queues[number]
        seen += drained(merge)
    assert merge.done
    assert len(seen) == total
    assert seen == sorted(seen, key=lambda one: (one.timestamp, one.partition, one.offset))
