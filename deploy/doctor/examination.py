"""Looking at a running system: wait until everything is read, load the facts, see that nothing moved."""

import time
from collections.abc import Callable, Sequence

from deploy.doctor import topic_facts, view_facts
from deploy.doctor.facts import Facts
from deploy.records.position import Beginning
from deploy.records.reader import Reader
from deploy.records.span import Span
from deploy.topology.component import Component
from tables.cart import CART
from topics.admin import all_topics, verify
from topics.lag import lag as committed_lag
from topics.settings import Settings

_LOOK_SECONDS = 0.5


def gather(
    settings: Settings, readers: Sequence[Component], wait_seconds: float, say: Callable[[str], None]
) -> Facts:
    """Return the facts of the system at rest, waiting for that as long as given.

    Where it does not come to rest in time, the facts say what is unread and what moved.
    """
    deadline = time.monotonic() + wait_seconds
    with Reader(settings) as reader:
        while True:
            lag, faults = unread(settings, readers)
            behind = sum(lag.values())
            in_time = time.monotonic() < deadline
            if behind and in_time:
                say(f"waiting: {behind} records are not read yet")
                time.sleep(_LOOK_SECONDS)
                continue
            say("reading topics")
            spans = reader.spans(topic_facts.SOURCES, Beginning())
            tables, events = topic_facts.load(reader.read(spans))
            say("reading views")
            views = view_facts.load(settings, [cart for cart in events.carts if cart in tables[CART]])
            moving = moved(spans, reader.spans(topic_facts.SOURCES, Beginning()))
            if moving and in_time:
                continue
            return Facts(
                now=time.time_ns() // 1_000_000,
                tables=tables,
                events=events,
                views=views,
                lag=lag,
                faults=faults,
                partitions=len(lag),
                moving=moving,
                topics=len(all_topics()),
                topic_differences=verify(settings),
            )


def unread(settings: Settings, readers: Sequence[Component]) -> tuple[dict[str, int], dict[str, str]]:
    """Return the unread records by `group topic/partition`, and where groups are at no position, why.

    A group that has committed nothing yet has everything before it: its absence is not an end.
    """
    reads: dict[str, set[str]] = {}
    for one in readers:
        if one.group:
            reads.setdefault(one.group, set()).update(one.consumes)
    found = committed_lag(settings, sorted(reads), reads=reads, seconds=False)
    places = {f"{one.group} {one.topic}/{one.partition}": one for one in found}
    return (
        {place: one.lag for place, one in places.items()},
        {
            place: f"committed {one.committed} of {one.end}: {one.fault}"
            for place, one in places.items()
            if one.fault is not None
        },
    )


def moved(before: Sequence[Span], after: Sequence[Span]) -> list[str]:
    """Return the topics that grew between two looks."""
    ends = {(span.topic, span.partition): span.end for span in before}
    return sorted({span.topic for span in after if span.end != ends[span.topic, span.partition]})
