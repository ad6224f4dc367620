"""All flows of the platform, gathered from the domains, and the checks that make sense over all of them."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from typing import Any

from schemas.domains import DOMAINS, Domain, ManifestError, declared, no_strays
from streams.kernel.flow import Flow
from tables.gathered import TABLES
from topics.registry import TOPICS
from topics.topic import Topic

# The Faust app's id, and so its consumer group.
GROUP = "ecommerce.streams"


def gathered(domains: Collection[Domain]) -> Iterator[Flow[Any]]:
    """Yield the flows of the domains.

    Raises ManifestError where one is missing, is called otherwise, writes another table than its own, or
    reads or emits what is in no domain's topics; and where `streams` has a folder of no domain.
    """
    no_strays("streams", [domain.name for domain in domains if domain.flows], ("kernel",))
    for domain in domains:
        for name in domain.flows:
            place = f"{domain.place('streams', name)}.agent"
            flow = declared(place, "FLOW", Flow)
            if flow.name != name:
                raise ManifestError(
                    f"{place}: the flow is called {flow.name}, and schemas/domains.py says {name}"
                )
            if flow.table is not TABLES[name]:
                raise ManifestError(
                    f"{place}: the flow's table is not that of {domain.place('tables', name)}"
                )
            for topic in _topics(flow):
                if TOPICS.get(topic.name) is not topic:
                    raise ManifestError(
                        f"{place}: {topic.name} is in topics/ of no domain of schemas/domains.py"
                    )
            yield flow


def _topics(flow: Flow[Any]) -> Iterator[Topic[Any]]:
    for route in flow.routes:
        yield from (route.topic, *route.emits)
    if flow.timer is not None:
        yield flow.timer


def checked(flows: Iterable[Flow[Any]]) -> tuple[Flow[Any], ...]:
    """Return the flows; raises ValueError where they cannot run together, naming the flow and the rule.

    - Names and tables are used once: each has one writer.
    - A record is a plain frozen struct, or a change in place would bypass the changelog.
    - Topics that meet in a flow have the platform's partition count: a key's records meet in one partition.
    """
    flows = tuple(flows)
    for what, names in (
        ("name", [flow.name for flow in flows]),
        ("table", [flow.table.name for flow in flows]),
    ):
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"flow {name}: the {what} is used {names.count(name)} times")
    for flow in flows:
        if not flow.table.record.__struct_config__.frozen:
            raise ValueError(f"flow {flow.name}: the record {flow.table.record.__name__} is not frozen")
        for route in flow.routes:
            if route.topic.partitions is not None:
                raise ValueError(
                    f"flow {flow.name}: {route.topic.name} has its own {route.topic.partitions} partitions:"
                    " its keys would not meet those of the rest"
                )
    return flows


FLOWS = checked(gathered(DOMAINS))

WORKER_FLOWS = tuple(replace(flow, ids=True) for flow in FLOWS)
"""What a worker runs: with the ids of the views. In memory, tests may call a cart by any name."""
