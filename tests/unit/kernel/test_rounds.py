"""When the next fetch may go."""

import asyncio

import pytest

from streams.kernel import rounds as module
from streams.kernel.rounds import Rounds


async def waiting(rounds: Rounds) -> "asyncio.Task[None]":
    task = asyncio.create_task(rounds.over())
    await asyncio.sleep(0)
    return task


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test waits for the alarm unless it means to."""
    monkeypatch.setattr(module, "MOST_S", 3600.0)


async def test_an_idle_worker_fetches_at_once() -> None:
    assert (await waiting(Rounds())).done()


async def test_a_fetch_waits_for_all_that_works() -> None:
    rounds, left, right = Rounds(), object(), object()
    rounds.begin(left)
    rounds.begin(left)
    rounds.begin(right)
    fetch = await waiting(rounds)
    rounds.end(left)
    await asyncio.sleep(0)
    assert not fetch.done()
    rounds.end(right)
    await fetch


async def test_every_broker_s_fetch_is_let_go() -> None:
    rounds, work = Rounds(), object()
    rounds.begin(work)
    fetches = [await waiting(rounds), await waiting(rounds)]
    rounds.end(work)
    await asyncio.wait_for(asyncio.gather(*fetches), 10)


async def test_work_that_nobody_will_do_holds_nothing_back() -> None:
    rounds = Rounds()
    rounds.begin(object())
    fetch = await waiting(rounds)
    rounds.forget()
    await fetch


async def test_a_long_batch_does_not_hold_back_the_next_fetch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_S", 0.0)
    rounds = Rounds()
    rounds.begin(object())
    await asyncio.wait_for(rounds.over(), 10)
