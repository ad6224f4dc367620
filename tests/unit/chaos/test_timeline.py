from itertools import islice
from pathlib import Path

from tests.chaos.faults import ELASTICSEARCH, KINDS, TWO_AT_ONCE, TWO_AT_ONCE_S, WORKER, schedule
from tests.chaos.timeline import Timeline

LANES = (("cart", "0"), ("cart", "1"), ("view", "a"))


def test_the_longest_gap_is_that_of_the_worst_lane() -> None:
    timeline = Timeline(LANES)
    for lane, ends in ((("cart", "0"), (1, 2, 3, 9)), (("cart", "1"), (1, 2, 3, 4, 5, 6, 7, 8, 9))):
        for end in ends:
            timeline.served(lane, end - 0.5, end)
    assert timeline.longest_gap("cart", 1, 9) == 6
    assert timeline.longest_gap("cart", 4, 9) == 5
    assert timeline.longest_gap("view", 4, 9) == 5


def test_a_canary_that_began_before_the_fault_proves_nothing() -> None:
    timeline = Timeline(LANES)
    for lane in LANES:
        timeline.served(lane, 0.9, 1.5)
    assert timeline.waiting(1.0) == list(LANES)
    timeline.served(LANES[0], 1.1, 1.6)
    assert timeline.waiting(1.0) == list(LANES[1:])


def test_a_seed_names_the_faults_and_each_kind_comes_before_any_comes_again() -> None:
    workers = ["worker-0", "worker-1"]
    once = list(islice(schedule(KINDS, workers, 7, pairs=True), 60))
    assert once == list(islice(schedule(KINDS, workers, 7, pairs=True), 60))
    assert once != list(islice(schedule(KINDS, workers, 8, pairs=True), 60))
    alone = [fault for fault in once if fault.name != TWO_AT_ONCE]
    assert {fault.name for fault in alone[: len(KINDS)]} == {kind.name for kind in KINDS}
    for fault in once:
        names = [name for _, name in fault.parts]
        assert len(set(names)) == len(names)
        for kind, name in fault.parts:
            assert name in workers if kind.victim == WORKER else name == kind.victim


def test_two_at_once_happens_and_never_hits_one_process_twice() -> None:
    some = list(islice(schedule(KINDS, ["worker-0"], 3, pairs=True), 200))
    assert any(fault.name == TWO_AT_ONCE for fault in some)
    assert all(len(fault.parts) == 1 for fault in islice(schedule(KINDS, ["worker-0"], 3, pairs=False), 200))


def test_the_documentation_states_each_time() -> None:
    page = (Path(__file__).parents[3] / "docs" / "reliability.md").read_text()
    rows = [row.strip("|").split("|") for row in page.splitlines() if row.count("|") == 5]
    stated = {row[0].strip(): row[2].strip() for row in rows}
    for kind in (*KINDS, *ELASTICSEARCH):
        assert stated[kind.name] == f"{kind.stated_s:g} s"
    assert stated[TWO_AT_ONCE] == f"{TWO_AT_ONCE_S:g} s"
