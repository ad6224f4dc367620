"""Lanes: order within a key, no waiting across keys, a limit over all."""

import asyncio
from functools import partial

import pytest

from connectors.payments.lanes import Lanes


async def test_work_of_one_key_keeps_its_order_and_delays_no_other() -> None:
    lanes, done, gate, passed = Lanes(10), list[str](), asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        await gate.wait()
        done.append("a1")

    async def quick(name: str) -> None:
        done.append(name)
        passed.set()

    await lanes.submit("a", slow)
    await lanes.submit("a", partial(quick, "a2"))
    await lanes.submit("b", partial(quick, "b1"))
    async with asyncio.timeout(5):
        await passed.wait()
        assert done == ["b1"]
        gate.set()
        await lanes.drain()
    assert done == ["b1", "a1", "a2"]
    assert len(lanes) == 0


async def test_no_more_than_the_limit_is_accepted() -> None:
    lanes, gate = Lanes(2), asyncio.Event()

    async def wait() -> None:
        await gate.wait()

    await lanes.submit("a", wait)
    await lanes.submit("b", wait)
    third = asyncio.create_task(lanes.submit("c", wait))
    await asyncio.sleep(0)
    assert not third.done()
    gate.set()
    async with asyncio.timeout(5):
        await third
        await lanes.drain()


async def test_a_failure_stops_its_lane_and_is_raised_to_the_next_who_submits() -> None:
    lanes, reached = Lanes(10), list[str]()

    async def fail() -> None:
        raise ConnectionError("the broker is gone")

    async def after() -> None:
        reached.append("after")

    await lanes.submit("a", fail)
    await lanes.submit("a", after)
    await lanes.drain()
    assert reached == []
    with pytest.raises(ConnectionError, match="the broker is gone"):
        lanes.check()
    with pytest.raises(ConnectionError, match="the broker is gone"):
        await lanes.submit("b", after)


async def test_unfinished_work_can_be_given_up() -> None:
    lanes = Lanes(10)

    async def never() -> None:
        await asyncio.Event().wait()

    await lanes.submit("a", never)
    await lanes.submit("a", never)
    async with asyncio.timeout(5):
        await lanes.cancel()
    assert len(lanes) == 0
