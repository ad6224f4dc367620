"""Doing steps in the order of their dependencies, side by side where nothing forbids it."""

import threading
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from graphlib import TopologicalSorter


def in_order(graph: Mapping[str, tuple[str, ...]], do: Callable[[str, threading.Event], None]) -> None:
    """Call `do(name, cancelled)` for every name once all names it depends on are done.

    Dependencies that are not in the graph count as done. The first exception ends it: the event is set so
    that the calls under way can give up, no other is begun, and the exception is raised.
    """
    sorter = _sorter(graph)
    sorter.prepare()
    cancelled = threading.Event()
    under_way: dict[Future[None], str] = {}
    with ThreadPoolExecutor(max_workers=max(1, len(graph))) as pool:
        try:
            while sorter.is_active():
                for name in sorter.get_ready():
                    under_way[pool.submit(do, name, cancelled)] = name
                finished, _ = wait(under_way, return_when=FIRST_COMPLETED)
                for future in finished:
                    sorter.done(under_way.pop(future))
                    future.result()
        except BaseException:
            cancelled.set()
            raise


def ordered(graph: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Return the names so that each stands after what it depends on."""
    return list(_sorter(graph).static_order())


def reverse(graph: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Return the graph in which everything depends on what depended on it."""
    return {name: tuple(other for other, needs in graph.items() if name in needs) for name in graph}


def among(graph: Mapping[str, tuple[str, ...]], kept: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Return the graph of the kept names alone; what one needed through others left out, it still needs."""

    def needs(name: str) -> set[str]:
        direct = graph.get(name, ())
        return {n for n in direct if n in kept}.union(*(needs(n) for n in direct if n not in kept))

    return {name: tuple(sorted(needs(name))) for name in kept}


def _sorter(graph: Mapping[str, tuple[str, ...]]) -> TopologicalSorter[str]:
    return TopologicalSorter({name: [d for d in needs if d in graph] for name, needs in graph.items()})
