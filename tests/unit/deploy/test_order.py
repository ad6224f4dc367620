import threading

import pytest

from deploy.processes.order import among, in_order, ordered, reverse
from deploy.processes.process import Process
from deploy.processes.table import platform
from topics.settings import Settings

GRAPH = {"api": ("topics", "redis"), "topics": ("kafka",), "kafka": (), "redis": ()}


def test_everything_runs_after_what_it_needs() -> None:
    done: list[str] = []
    in_order(GRAPH, lambda name, _cancelled: done.append(name))
    assert sorted(done) == sorted(GRAPH)
    assert done.index("kafka") < done.index("topics") < done.index("api")
    assert done.index("redis") < done.index("api")


def test_what_needs_nothing_runs_side_by_side() -> None:
    both = threading.Barrier(2, timeout=5)

    def meet(_name: str, _cancelled: threading.Event) -> None:
        both.wait()

    in_order({"a": (), "b": ()}, meet)


def test_a_failure_stops_the_rest_and_tells_what_is_under_way() -> None:
    told: list[bool] = []
    begun: list[str] = []

    def do(name: str, cancelled: threading.Event) -> None:
        begun.append(name)
        if name == "kafka":
            raise ValueError("no")
        told.append(cancelled.wait(5))

    with pytest.raises(ValueError, match="no"):
        in_order({"kafka": (), "redis": (), "api": ("kafka",)}, do)
    assert told == [True]
    assert "api" not in begun


def test_a_dependency_that_is_not_there_counts_as_done() -> None:
    assert ordered({"topics": ("kafka",)}) == ["topics"]


def test_the_reverse_stops_first_what_nothing_needs() -> None:
    order = ordered(reverse(GRAPH))
    assert order.index("api") < order.index("topics") < order.index("kafka")
    assert reverse({"a": ("gone",)}) == {"a": ()}


def test_what_was_needed_through_another_is_still_needed() -> None:
    assert among(GRAPH, ["api", "kafka"]) == {"api": ("kafka",), "kafka": ()}
    assert among(GRAPH, ["stranger"]) == {"stranger": ()}


def test_every_process_stops_before_the_servers_that_it_uses() -> None:
    steps = platform(Settings(), workers=2)
    running = [name for name, step in steps.items() if isinstance(step, Process)]
    order = ordered(reverse(among({name: step.after for name, step in steps.items()}, running)))
    for user in ("worker-0", "worker-1", "sink", "gateway", "api"):
        assert order.index(user) < order.index("kafka")
    for user in ("sink", "api"):
        assert order.index(user) < min(order.index("postgres"), order.index("redis"))
    assert order.index("gateway") < order.index("provider")
