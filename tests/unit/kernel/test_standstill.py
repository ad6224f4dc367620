"""When a worker stands still, on a virtual clock: not when it is idle, restoring, or without a broker."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace

import pytest

from streams.kernel.standstill import APPLYING, EVENT_LOOP, FLOW, READING, Look, SourcePartition, Standstill

BOUND_S = 90.0
LOOK_S = 2
SOURCE: SourcePartition = ("source", 0)
OTHER: SourcePartition = ("source", 1)
IDLE = Look(flowing=True, read={SOURCE: 5, OTHER: 3}, backlog=0, restored=(1, 0), answered=(7,))
OFF = replace(IDLE, flowing=False)
ENDS = {SOURCE: 5, OTHER: 3}


class Clocked:
    """A standstill that is given a look every two virtual seconds."""

    def __init__(self) -> None:
        self.standstill = Standstill(BOUND_S)
        self.now = 0.0
        self.asked = 0

    def after(
        self, seconds: int, look: Look, ends: Mapping[SourcePartition, int] | None
    ) -> tuple[str, float]:
        """Look on for a while, at a loop that goes on; return what stands still in the end, how long."""
        found = None
        for _ in range(seconds // LOOK_S):
            found = self.look(replace(look), ends)
        return found or ("", 0.0)

    def look(self, look: Look, ends: Mapping[SourcePartition, int] | None) -> tuple[str, float] | None:
        def ask() -> Mapping[SourcePartition, int] | None:
            self.asked += 1
            return ends

        self.now += LOOK_S
        return self.standstill.judge(self.now, look, ask)


@pytest.fixture
def clocked() -> Clocked:
    return Clocked()


def test_an_idle_worker_does_not_stand_still(clocked: Clocked) -> None:
    assert clocked.after(3600, IDLE, ENDS) == ("", 0.0)


def test_a_worker_without_partitions_does_not_stand_still(clocked: Clocked) -> None:
    assert clocked.after(3600, replace(IDLE, read={}), ENDS) == ("", 0.0)


def test_a_flow_that_stays_off_is_a_standstill(clocked: Clocked) -> None:
    clocked.after(10, IDLE, ENDS)
    assert clocked.after(100, OFF, ENDS) == (FLOW, 98.0)


def test_a_worker_that_never_begins_stands_still(clocked: Clocked) -> None:
    never = Look(flowing=False, read={}, backlog=0, restored=(0, 0), answered=(0, 0))
    what, seconds = clocked.after(100, never, ENDS)
    assert what == FLOW
    assert seconds >= BOUND_S


@pytest.mark.parametrize("progress", [lambda turn: (1, turn), lambda turn: (turn, 0)])
def test_restored_records_and_new_generations_are_progress(
    clocked: Clocked, progress: Callable[[int], Hashable]
) -> None:
    for turn in range(60):
        clocked.look(replace(OFF, restored=progress(turn)), ENDS)
        what, seconds = clocked.after(20, replace(OFF, restored=progress(turn)), ENDS)
        assert (what, seconds) == (FLOW, 20.0)


def test_timers_that_are_sent_are_no_progress_while_the_flow_is_off(clocked: Clocked) -> None:
    for turn in range(50):
        found = clocked.look(replace(OFF, answered=(turn,)), ENDS)
    assert found is not None
    assert found[1] >= BOUND_S


def test_records_that_nobody_reads_are_a_standstill(clocked: Clocked) -> None:
    clocked.after(3600, IDLE, ENDS)
    what, seconds = clocked.after(2, IDLE, ENDS | {OTHER: 4})
    assert (what, seconds) == (READING, LOOK_S)  # from when they were there, not from when all was read
    assert clocked.after(90, IDLE, ENDS | {OTHER: 4}) == (READING, 92.0)
    assert clocked.after(2, replace(IDLE, read={SOURCE: 5, OTHER: 4}), ENDS | {OTHER: 4}) == ("", 0.0)


def test_another_s_partitions_are_another_s_records(clocked: Clocked) -> None:
    assert clocked.after(3600, IDLE, ENDS | {("source", 2): 100}) == ("", 0.0)


def test_records_that_are_never_applied_are_a_standstill_unless_the_broker_refuses_them(
    clocked: Clocked,
) -> None:
    stuck = replace(IDLE, backlog=10)
    assert clocked.after(100, stuck, ENDS) == (APPLYING, 98.0)
    for turn in range(100):
        found = clocked.look(replace(stuck, answered=(turn,)), ENDS)
        assert found is None


def test_a_broker_that_does_not_answer_is_waited_for(clocked: Clocked) -> None:
    for look in (OFF, replace(IDLE, backlog=10), IDLE):
        assert clocked.after(3600, look, None) == ("", 0.0)
    # Once it answers, the worker has the whole time to come back.
    assert clocked.after(80, OFF, None) == ("", 0.0)
    assert clocked.after(80, OFF, ENDS) == (FLOW, 80.0)


def test_a_blocked_loop_is_a_standstill_whatever_the_broker_says(clocked: Clocked) -> None:
    seen = replace(IDLE)
    for _ in range(51):
        found = clocked.look(seen, None)
    assert found == (EVENT_LOOP, 100.0)
    assert clocked.look(replace(IDLE), ENDS) is None


def test_a_process_that_was_stopped_itself_begins_anew(clocked: Clocked) -> None:
    clocked.after(80, OFF, ENDS)
    clocked.now += 3600
    assert clocked.look(replace(OFF), ENDS) is None
    assert clocked.after(80, OFF, ENDS) == (FLOW, 80.0)


def test_a_busy_worker_does_not_bother_the_broker(clocked: Clocked) -> None:
    for turn in range(100):
        clocked.look(replace(IDLE, read={SOURCE: turn}), ENDS)
    assert clocked.asked == 0


def test_a_worker_that_only_follows_does_not_stand_still(clocked: Clocked) -> None:
    follower = Look(flowing=True, read={("changelog", 0): 3}, backlog=0, restored=(1, 0), answered=())
    assert clocked.after(600, follower, {SOURCE: 900, OTHER: 3}) == ("", 0.0)
