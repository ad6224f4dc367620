"""Asking together: alone at once, together while a request is under way, each with its own answer."""

import asyncio
import time

import pytest

from connectors.payments.gathering import Gathering


class Server:
    """Doubles what it is asked, when it is let."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.open.set()
        self.asked = asyncio.Event()
        self.requests: list[list[int]] = []
        self.began: list[float] = []

    async def ask(self, asked: list[int]) -> list[int]:
        self.requests.append(asked)
        self.began.append(time.monotonic())
        self.asked.set()
        await self.open.wait()
        if 0 in asked:
            raise ValueError("nothing to double")
        return [2 * one for one in asked]


async def test_what_comes_while_a_request_is_under_way_goes_together() -> None:
    server = Server()
    server.open.clear()
    gathering = Gathering(server.ask, most=3, apart_s=0)
    async with asyncio.TaskGroup() as group:
        answers = [group.create_task(gathering.answer(1))]
        await server.asked.wait()
        answers += [group.create_task(gathering.answer(n)) for n in (2, 3, 4, 5)]
        await asyncio.sleep(0)
        server.open.set()
    assert [task.result() for task in answers] == [2, 4, 6, 8, 10]
    assert server.requests == [[1], [2, 3, 4], [5]]


async def test_requests_begin_so_far_apart() -> None:
    server = Server()
    gathering = Gathering(server.ask, most=3, apart_s=0.05)
    for n in (1, 2, 3):
        assert await gathering.answer(n) == 2 * n
    first, second, third = server.began
    assert second - first >= 0.05
    assert third - second >= 0.05


async def test_what_goes_wrong_is_raised_to_all_of_one_request_and_to_nobody_else() -> None:
    server = Server()
    gathering = Gathering(server.ask, most=2, apart_s=0)
    answers = await asyncio.gather(*(gathering.answer(n) for n in (0, 1, 2)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [ValueError, ValueError, int]
    assert await gathering.answer(4) == 8


async def test_one_who_gives_up_takes_no_one_along() -> None:
    server = Server()
    server.open.clear()
    gathering = Gathering(server.ask, most=2, apart_s=0)
    async with asyncio.TaskGroup() as group:
        impatient = group.create_task(gathering.answer(1))
        patient = group.create_task(gathering.answer(2))
        await server.asked.wait()
        impatient.cancel()
        await asyncio.sleep(0)
        server.open.set()
    assert patient.result() == 4


async def test_closing_gives_up_what_is_under_way_and_what_waits() -> None:
    server = Server()
    server.open.clear()
    gathering = Gathering(server.ask, most=1, apart_s=0)
    answers = [asyncio.create_task(gathering.answer(n)) for n in (1, 2)]
    await server.asked.wait()
    await gathering.close()
    for task in answers:
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_answers_that_are_too_few_are_an_error_to_whoever_has_none() -> None:
    async def ask(asked: list[int]) -> list[int]:
        return asked[:1]

    gathering = Gathering(ask, most=2, apart_s=0)
    answers = await asyncio.gather(gathering.answer(1), gathering.answer(2), return_exceptions=True)
    assert [type(answer) for answer in answers] == [int, ValueError]
