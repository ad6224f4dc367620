"""The topology driver and recorded slices as fixtures: `pytest_plugins = ("deploy.replay.pytest_plugin",)`.

`driver` is a `Driver` with all flows, or with those of `@pytest.mark.flows(CART_FLOW, ...)`.

`await golden(recording)` replays a recording in memory and compares every output and every table's final
states with the outcome stored beside it; `pytest --accept-golden` stores today's.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from deploy.errors import CommandError
from deploy.records.recording import read_recording
from deploy.replay.difference import differences, report
from deploy.replay.outcome import outcome, read_golden, write_golden
from streams.flows import FLOWS
from streams.kernel.driver import Driver
from streams.kernel.flow import Flow

PARTITIONS = 4

Golden = Callable[..., Awaitable[None]]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--accept-golden`."""
    parser.addoption(
        "--accept-golden", action="store_true", help="store today's outcome of every replayed recording"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declare the mark."""
    config.addinivalue_line("markers", "flows(*flows): the flows that the fixture `driver` runs; default all")


@pytest_asyncio.fixture
async def driver(request: pytest.FixtureRequest) -> AsyncIterator[Driver]:
    """Run a driver for the length of a test."""
    mark = request.node.get_closest_marker("flows")
    async with Driver(*(mark.args if mark else FLOWS)) as running:
        yield running


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Compare a recording's replay with `<recording>.golden.jsonl.xz` beside it; fails with what differs."""
    accept = request.config.getoption("--accept-golden")

    async def check(recording: Path, flows: Sequence[Flow[Any]] = FLOWS) -> None:
        now = await outcome(list(read_recording(recording)), flows, PARTITIONS)
        stored = recording.with_suffix(".golden.jsonl.xz")
        if accept:
            write_golden(stored, now)
            return
        try:
            before = read_golden(stored)
        except CommandError as error:
            pytest.fail(str(error), pytrace=False)
        if found := differences(before, now):
            accepted = "`pytest --accept-golden` takes today's outcome for right"
            pytest.fail(f"{recording.name}: {report(found, len(before))}\n{accepted}", pytrace=False)

    return check
