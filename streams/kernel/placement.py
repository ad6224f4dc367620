"""Who owns which partition and who follows it, decided anew when workers come and go. No I/O.

Faust's own assignor takes no account of who follows what when it evens out, and puts a worker's followers
anywhere: of three and more workers, a dead one's partitions mostly went to workers that had no state of them.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple


class Placed(NamedTuple):
    """The partitions of one worker."""

    owned: frozenset[int]
    followed: frozenset[int]


NOTHING = Placed(frozenset(), frozenset())


def placed(before: Mapping[str, Placed], partitions: int, standbys: int) -> dict[str, Placed]:
    """Return the new places of the workers in `before`, whose places were those.

    Every partition has one owner and `standbys` followers, as far as there are other workers. Owners differ
    by one partition at most. Partitions stay where they are unless that is uneven, and go to who follows
    them. Each worker follows of another what it would take over at that one's end.
    """
    owners = _owners(before, partitions)
    followers = _followers(before, owners, min(standbys, len(before) - 1))
    return {
        worker: Placed(
            frozenset(partition for partition, owner in owners.items() if owner == worker),
            frozenset(partition for partition, others in followers.items() if worker in others),
        )
        for worker in before
    }


def _owners(before: Mapping[str, Placed], partitions: int) -> dict[int, str]:
    owners: dict[int, str] = {}
    for worker, place in sorted(before.items()):
        owners |= {partition: worker for partition in place.owned if partition < partitions}
    least, more = divmod(partitions, len(before))
    has = Counter(owners.values())
    claims = has + Counter(
        worker
        for worker, place in before.items()
        for partition in place.followed
        if partition < partitions and partition not in owners
    )
    first = sorted(before, key=lambda worker: (-claims[worker], worker))
    room = {worker: least + (index < more) - has[worker] for index, worker in enumerate(first)}
    wanting = {
        partition for worker, place in before.items() if room[worker] > 0 for partition in place.followed
    }
    for partition, owner in sorted(owners.items(), key=lambda owned: (owned[0] not in wanting, owned[0])):
        if room[owner] < 0:
            del owners[partition]
            room[owner] += 1
    for follows in (True, False):
        for partition in range(partitions):
            if partition in owners:
                continue
            fit = [
                worker
                for worker in first
                if room[worker] > 0 and (not follows or partition in before[worker].followed)
            ]
            if fit:
                owners[partition] = max(fit, key=room.__getitem__)
                room[owners[partition]] -= 1
    return owners


def _followers(before: Mapping[str, Placed], owners: Mapping[int, str], standbys: int) -> dict[int, set[str]]:
    followers: dict[int, set[str]] = {
        partition: {worker for worker, place in before.items() if partition in place.followed}
        for partition in owners
    }
    if NOTHING not in before.values() and all(
        partition in before[owner].owned and len(followers[partition] - {owner}) == standbys
        for partition, owner in owners.items()
    ):
        return followers
    followers = {partition: set() for partition in owners}
    owned = Counter(owners.values())
    follows: Counter[str] = Counter()
    for owner in sorted(owned, key=lambda worker: (-owned[worker], worker)):
        theirs = sorted(partition for partition in owners if owners[partition] == owner)
        others = {worker: _warm(place, theirs) for worker, place in sorted(before.items()) if worker != owner}
        # What each would take over, were this owner to end.
        least, more = divmod(len(owners), max(len(others), 1))
        first = sorted(others, key=lambda worker: (-owned[worker], -len(others[worker]), follows[worker]))
        room = {worker: least + (index < more) - owned[worker] for index, worker in enumerate(first)}
        for _ in range(standbys):
            chosen = _chosen(theirs, others, room, followers, follows)
            for partition, worker in chosen.items():
                followers[partition].add(worker)
            follows += Counter(chosen.values())
            room = {worker: left + len(theirs) // len(others) + 1 for worker, left in room.items()}
    return followers


def _chosen(
    theirs: Sequence[int],
    others: Mapping[str, Collection[int]],
    room: dict[str, int],
    followers: Mapping[int, set[str]],
    follows: Mapping[str, int],
) -> dict[int, str]:
    """Return one more follower for each partition: who has its state and room for it, or else most room."""
    chosen: dict[int, str] = {}
    for worker, partitions in others.items():
        for partition in partitions:
            if room[worker] > 0 and partition not in chosen and worker not in followers[partition]:
                chosen[partition] = worker
                room[worker] -= 1
    for partition in theirs:
        if partition not in chosen:
            fit = [worker for worker in others if worker not in followers[partition]]
            chosen[partition] = min(fit, key=lambda worker: (-room[worker], follows[worker]))
            room[chosen[partition]] -= 1
    return chosen


def _warm(place: Placed, theirs: Sequence[int]) -> list[int]:
    return [partition for partition in theirs if partition in place.followed | place.owned]
