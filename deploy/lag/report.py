"""Lag as a table for people and as figures for programs."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.table import Table

from topics.lag import PartitionLag

SECONDS_BEHIND = 5.0
SECONDS_FAR_BEHIND = 60.0


def figures(partitions: Sequence[PartitionLag]) -> dict[str, Any]:
    """Return totals, sums by group, and every partition."""
    groups: dict[str, dict[str, float]] = {}
    for one in partitions:
        group = groups.setdefault(one.group, {"records": 0, "seconds": 0.0, "partitions": 0})
        group["records"] += one.lag
        group["seconds"] = max(group["seconds"], one.seconds)
        group["partitions"] += 1
    return {
        "records": sum(one.lag for one in partitions),
        "seconds": max((one.seconds for one in partitions), default=0.0),
        "groups": groups,
        "partitions": [asdict(one) for one in partitions],
    }


def named(one: PartitionLag) -> str:
    """Return what is wrong with where a group stands."""
    return f"{one.group} {one.topic}/{one.partition} committed {one.committed} of {one.end}: {one.fault}"


def colour(one: PartitionLag) -> str:
    """Return green where nothing waits, yellow where something does.

    Red is where it has waited a minute, or where the group is at no position.
    """
    if one.fault is not None:
        return "red"
    if one.lag == 0 or one.seconds < SECONDS_BEHIND:
        return "green"
    return "yellow" if one.seconds < SECONDS_FAR_BEHIND else "red"


def table(partitions: Sequence[PartitionLag], *, every: bool) -> Table:
    """Return the table; without `every`, partitions that are read to their end are summed up per group."""
    shown = Table("group", "topic", "partition", "committed", "end", "records", "seconds")
    for column in shown.columns[2:]:
        column.justify = "right"
    for group in sorted({one.group for one in partitions}):
        mine = [one for one in partitions if one.group == group]
        rows = [one for one in mine if every or one.lag or one.fault]
        for one in rows:
            numbers = (str(one.partition), str(one.committed), str(one.end), str(one.lag))
            shown.add_row(group, one.topic, *numbers, f"{one.seconds:.1f}", style=colour(one))
        if len(rows) < len(mine):
            rest = f"{len(mine) - len(rows)} partitions"
            shown.add_row(group, rest, "", "", "", "0", "0.0", style="green")
    return shown
