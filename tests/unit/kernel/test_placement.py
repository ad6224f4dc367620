"""Who owns and who follows: even, sticky, and whoever follows takes over."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.kernel.placement import NOTHING, Placed, placed

WORKERS = ("a", "b", "c", "d", "e")


def joined(places: dict[str, Placed], worker: str, partitions: int, standbys: int) -> dict[str, Placed]:
    return placed({**places, worker: NOTHING}, partitions, standbys)


def left(places: dict[str, Placed], worker: str, partitions: int, standbys: int) -> dict[str, Placed]:
    rest = {name: place for name, place in places.items() if name != worker}
    return placed(rest, partitions, standbys)


def gathered(workers: int, partitions: int, standbys: int) -> dict[str, Placed]:
    places: dict[str, Placed] = {}
    for worker in WORKERS[:workers]:
        places = joined(places, worker, partitions, standbys)
    return places


@given(
    st.lists(st.sampled_from(WORKERS), min_size=1, max_size=12),
    st.integers(1, 13),
    st.integers(0, 3),
)
def test_every_partition_has_its_owner_and_followers_whoever_comes_and_goes(
    turns: list[str], partitions: int, standbys: int
) -> None:
    places: dict[str, Placed] = {}
    for worker in turns:
        if worker not in places:
            places = joined(places, worker, partitions, standbys)
        elif len(places) > 1:
            places = left(places, worker, partitions, standbys)
        owned = Counter(partition for place in places.values() for partition in place.owned)
        assert owned == dict.fromkeys(range(partitions), 1)
        followed = Counter(partition for place in places.values() for partition in place.followed)
        copies = min(standbys, len(places) - 1)
        assert followed == (dict.fromkeys(range(partitions), copies) if copies else {})
        assert not any(place.owned & place.followed for place in places.values())
        counts = [len(place.owned) for place in places.values()]
        assert max(counts) - min(counts) <= 1


@given(st.lists(st.sampled_from(WORKERS), min_size=1, max_size=12), st.integers(1, 13))
def test_what_a_worker_leaves_goes_to_its_standbys_and_nothing_else_moves(
    turns: list[str], partitions: int
) -> None:
    places: dict[str, Placed] = {}
    for worker in turns:
        if worker not in places:
            places = joined(places, worker, partitions, 1)
    for worker in places:
        if len(places) > 1:
            for name, place in left(places, worker, partitions, 1).items():
                assert place.owned >= places[name].owned
                assert place.owned - places[name].owned <= places[name].followed


@pytest.mark.parametrize("partitions", [3, 6, 12])
def test_a_worker_that_joins_takes_its_share_and_the_others_exchange_nothing(partitions: int) -> None:
    before = gathered(3, partitions, 1)
    after = joined(before, "d", partitions, 1)
    assert all(after[worker].owned <= place.owned for worker, place in before.items())
    assert len(after["d"].owned) == partitions // 4


@pytest.mark.parametrize("standbys", [0, 1, 2])
def test_a_rebalance_without_a_cause_moves_nothing(standbys: int) -> None:
    places = gathered(5, 12, standbys)
    assert placed(places, 12, standbys) == places


def test_two_that_claim_one_partition_are_told_apart() -> None:
    both = Placed(frozenset({0, 1}), frozenset())
    assert Counter(
        partition for place in placed({"a": both, "b": both}, 2, 0).values() for partition in place.owned
    ) == {0: 1, 1: 1}
