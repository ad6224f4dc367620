from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from deploy.lag.report import colour, figures, named, table
from topics.lag import Fault, PartitionLag


def lag(group: str, partition: int, records: int, seconds: float) -> PartitionLag:
    return PartitionLag(group, "ecommerce.order.placed", partition, 10, 10 + records, records, seconds)


PARTITIONS = [lag("sink", 0, 0, 0.0), lag("streams", 0, 3, 7.5), lag("streams", 1, 4, 61.0)]


def test_sums_records_and_takes_the_longest_wait() -> None:
    found = figures(PARTITIONS)
    assert (found["records"], found["seconds"]) == (7, 61.0)
    assert found["groups"]["streams"] == {"records": 7, "seconds": 61.0, "partitions": 2}
    assert found["partitions"][1]["committed"] == 10


def test_nothing_committed_is_no_lag() -> None:
    assert figures([])["seconds"] == 0.0


@pytest.mark.parametrize(
    ("records", "seconds", "expected"),
    [(0, 0.0, "green"), (9, 1.0, "green"), (9, 7.5, "yellow"), (1, 61.0, "red"), (0, 99.0, "green")],
)
def test_colours_by_how_long_the_oldest_record_waits(records: int, seconds: float, expected: str) -> None:
    assert colour(lag("g", 0, records, seconds)) == expected


def test_a_group_at_no_position_is_shown_and_named_though_nothing_waits() -> None:
    stray = replace(lag("sink", 0, 0, 0.0), fault=Fault.BEYOND_END)
    assert colour(stray) == "red"
    assert named(stray) == "sink ecommerce.order.placed/0 committed 10 of 10: it is beyond the topic's end"
    console = Console(file=StringIO(), width=200)
    console.print(table([stray], every=False))
    assert "ecommerce.order.placed" in console.file.getvalue()  # type: ignore[attr-defined] # it is the StringIO


@pytest.mark.parametrize(("every", "shown"), [(False, "1 partitions"), (True, "ecommerce.order.placed")])
def test_sums_up_partitions_without_lag(every: bool, shown: str) -> None:  # noqa: FBT001 -- a parameter
    console = Console(file=StringIO(), width=200)
    console.print(table(PARTITIONS[:1], every=every))
    text = console.file.getvalue()  # type: ignore[attr-defined] # it is the StringIO
    assert shown in text
