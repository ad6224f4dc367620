import threading

import pytest

from deploy.processes.order import in_order, ordered, reverse

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
