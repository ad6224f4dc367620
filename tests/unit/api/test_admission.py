"""When commands are refused: the rule, the backlog's estimate, and what a client is told."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any, TypeVar

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.admission.backlog import ASSUMED_RATE, Backlog
from api.admission.gate import Gate
from api.admission.rule import LONGEST_RETRY_S, Signals, Verdict, judge
from api.problems import Problem
from api.settings import ApiSettings
from tests.eventually import eventually_seen
from tests.unit.api.conftest import World
from tests.unit.api.fakes import FakeBroker
from topics.lag import PartitionLag

LIMITS = Signals(
    backlog_records=1_000, backlog_seconds=10, sending=100, sending_seconds=5, unanswered=500, loop_seconds=1
)
SHARE = 0.5

T = TypeVar("T")


def after(*seconds: float) -> list[bool]:
    verdict, refusing = Verdict(), []
    for each in seconds:
        verdict = judge(verdict, Signals(backlog_seconds=each), LIMITS, SHARE)
        refusing.append(verdict.refusing)
    return refusing


def test_refusing_begins_at_the_limit_and_ends_below_the_share_of_it() -> None:
    assert after(0, 9.9, 10, 9, 5.1, 5, 9.9, 12) == [False, False, True, True, True, False, False, True]


@pytest.mark.parametrize(
    "seen",
    [
        Signals(backlog_records=1_000),
        Signals(backlog_seconds=10),
        Signals(sending=100),
        Signals(sending_seconds=5),
        Signals(unanswered=500),
        Signals(loop_seconds=1),
    ],
)
def test_each_signal_closes_the_gate_alone_and_is_named(seen: Signals) -> None:
    verdict = judge(Verdict(), seen, LIMITS, SHARE)
    assert verdict.refusing
    assert getattr(seen, verdict.worst) == getattr(LIMITS, verdict.worst)


def test_who_is_refused_is_told_when_the_backlog_will_be_read() -> None:
    assert judge(Verdict(), Signals(backlog_seconds=12), LIMITS, SHARE).retry_s == 7
    assert judge(Verdict(), Signals(sending=100), LIMITS, SHARE).retry_s == 1
    assert judge(Verdict(), Signals(backlog_seconds=900), LIMITS, SHARE).retry_s == LONGEST_RETRY_S


_share = st.floats(0, 3)


@given(st.lists(st.tuples(_share, _share, _share), max_size=30))
def test_between_the_share_and_the_limit_nothing_changes(shares: list[tuple[float, float, float]]) -> None:
    verdict = Verdict()
    for records, seconds, sending in shares:
        before = verdict.refusing
        verdict = judge(verdict, Signals(1_000 * records, 10 * seconds, 100 * sending), LIMITS, SHARE)
        if verdict.pressure >= 1:
            assert verdict.refusing
        elif verdict.pressure <= SHARE:
            assert not verdict.refusing
        else:
            assert verdict.refusing == before


def test_a_command_that_the_broker_does_not_acknowledge_closes_the_gate_until_it_does() -> None:
    gate = Gate(ApiSettings(sending_seconds=0.001, sending_commands=2))
    with gate.sending():
        time.sleep(0.002)
        gate.look(0.0)
        assert gate.verdict.worst == "sending_seconds"
        with pytest.raises(Problem):
            gate.admit()
    gate.look(0.0)
    gate.admit()
    with gate.sending(), gate.sending():
        gate.look(0.0)
        assert gate.verdict.refusing


def lag(committed: int, records: int, topic: str = "a", group: str = "g") -> PartitionLag:
    return PartitionLag(group, topic, 0, committed, committed + records, records, 0.0)


def waits(*looks: tuple[float, int, int]) -> list[float]:
    """Return the seconds after each look: at a time, so much is committed and so much lies there."""
    backlog, seconds = Backlog(), []
    for now, committed, records in looks:
        backlog.look(now, [lag(committed, records)])
        seconds.append(backlog.seconds)
    return seconds


def test_a_reader_is_assumed_to_be_quick_until_it_shows_what_it_can() -> None:
    assert waits((0, 0, 1_000)) == [1_000 / ASSUMED_RATE]
    assert waits((0, 0, 0), (1, 4_000, 1_000))[-1] == 1_000 / 4_000


def test_a_reader_with_enough_to_read_is_believed_though_it_is_slow() -> None:
    looks = [(second, 10 * second, 100 + 20 * second) for second in range(5)]
    assert waits(*looks)[-1] == pytest.approx((100 + 20 * 4) / 10)


def test_a_reader_that_is_asked_for_little_is_not_taken_for_slow() -> None:
    looks = [(second, 10 * second, 5) for second in range(60)]
    assert waits(*looks, (60, 600, 100))[-1] == 100 / ASSUMED_RATE


def test_a_reader_that_stands_still_keeps_the_rate_that_it_had() -> None:
    assert waits((0, 0, 0), (1, 4_000, 0), *((second, 4_000, 4_000) for second in range(2, 20)))[-1] == 1.0


def test_the_silence_while_a_worker_is_replaced_is_not_taken_for_its_speed() -> None:
    before = [(second, 1_000 * second, 100) for second in range(10)]
    silence = [(second, 9_000, 1_000 * (second - 9)) for second in range(10, 25)]
    assert waits(*before, *silence, (25, 9_500, 15_000), (26, 12_500, 13_000))[-1] < 13_000 / 900


def test_a_reader_that_has_caught_up_may_be_quick_again() -> None:
    slow = [(second, 10 * second, 100) for second in range(6)]
    assert waits(*slow)[-1] == pytest.approx(10)
    assert waits(*slow, (6, 150, 0), (7, 150, 100))[-1] == pytest.approx(100 / ASSUMED_RATE)


def test_the_slowest_topic_counts_and_records_add_up() -> None:
    backlog = Backlog()
    backlog.look(0, [lag(0, 0), lag(0, 0, "b"), lag(0, 0, group="h")])
    backlog.look(1, [lag(1_000, 500), lag(500, 1_000, "b"), lag(1_000, 100, group="h")])
    assert backlog.records == 1_600
    assert backlog.seconds == pytest.approx(2.0)
    backlog.forget()
    assert (backlog.records, backlog.seconds) == (0, 0)


async def test_a_refused_command_gets_a_problem_and_nothing_is_sent(
    client: httpx.AsyncClient, world: World
) -> None:
    gate = world.services.gate
    gate.see(backlog_records=10**9)
    answer = await client.post("/api/v1/cart/items", json={"sku": "A", "quantity": 1})
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    assert 1 <= int(answer.headers["Retry-After"]) <= 2
    assert answer.json()["type"] == "urn:ecommerce:problem:overloaded"
    assert answer.json()["reason"] == "backlog_records"
    assert answer.json()["correlation_id"] == answer.headers["X-Correlation-Id"]
    assert world.broker.sent == []
    gate.see(backlog_records=0)
    assert (await client.post("/api/v1/cart/items", json={"sku": "A", "quantity": 1})).status_code == 202


class Held:
    """A broker that acknowledges nothing until it is let."""

    def __init__(self, broker: FakeBroker, monkeypatch: pytest.MonkeyPatch) -> None:
        self._send = broker.send_and_wait
        self.let = asyncio.Event()
        monkeypatch.setattr(broker, "send_and_wait", self._wait)

    async def _wait(self, *arguments: Any) -> object:
        await self.let.wait()
        return await self._send(*arguments)


async def test_a_process_takes_only_so_many_commands_in_hand(
    client: httpx.AsyncClient, world: World, limits: ApiSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = {"sku": "A", "quantity": 1}
    held = Held(world.broker, monkeypatch)
    asked = [
        asyncio.create_task(client.post("/api/v1/cart/items", json=item))
        for _ in range(limits.in_hand_commands)
    ]
    assert await eventually_seen(lambda: world.services.gate.hand.full)
    refused = await client.post("/api/v1/cart/items", json=item)
    assert (refused.status_code, refused.json()["reason"]) == (503, "in_hand")
    assert "Retry-After" in refused.headers
    held.let.set()
    assert {answer.status_code for answer in await asyncio.gather(*asked)} == {202}
    assert (await client.post("/api/v1/cart/items", json=item)).status_code == 202


async def test_a_command_in_hand_goes_on_when_the_gate_closes(
    client: httpx.AsyncClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, closed = asyncio.Event(), asyncio.Event()
    add = world.services.carts.add

    async def slowly(*arguments: Any, **named: Any) -> Any:
        read.set()
        await closed.wait()
        return await add(*arguments, **named)

    monkeypatch.setattr(world.services.carts, "add", slowly)
    asked = asyncio.create_task(client.post("/api/v1/cart/items", json={"sku": "A", "quantity": 1}))
    await read.wait()
    world.services.gate.see(loop_seconds=10**9)
    closed.set()
    assert (await asked).status_code == 202


async def test_a_command_that_waits_for_its_outcome_is_not_in_hand(
    client: httpx.AsyncClient, world: World, limits: ApiSettings
) -> None:
    item = {"sku": "A", "quantity": 1}
    waiting = [
        asyncio.create_task(client.post("/api/v1/cart/items", json=item, headers={"Prefer": "wait=5"}))
        for _ in range(limits.in_hand_commands)
    ]
    assert await eventually_seen(lambda: len(world.broker.sent), lambda sent: sent == len(waiting))
    assert (await client.post("/api/v1/cart/items", json=item)).status_code == 202
    for task in waiting:
        task.cancel()


async def test_a_body_that_comes_slowly_is_nobodys_work(
    client: httpx.AsyncClient, limits: ApiSettings
) -> None:
    over = asyncio.Event()
    begun: list[None] = []

    async def slowly() -> AsyncIterator[bytes]:
        begun.append(None)
        yield b"{"
        await over.wait()
        yield b"}"

    headers = {"Content-Type": "application/json"}
    slow = [
        asyncio.create_task(client.post("/api/v1/cart/items", content=slowly(), headers=headers))
        for _ in range(limits.in_hand_commands)
    ]
    assert await eventually_seen(lambda: len(begun), lambda count: count == len(slow))
    answer = await client.post("/api/v1/cart/items", json={"sku": "A", "quantity": 1})
    assert answer.status_code == 202
    over.set()
    assert {answer.status_code for answer in await asyncio.gather(*slow)} == {422}


async def test_a_page_that_sends_a_command_is_refused_where_it_sends_it(
    client: httpx.AsyncClient, world: World
) -> None:
    world.services.gate.see(unanswered=10**9)
    answer = await client.post("/cart/items", data={"sku": "A", "quantity": "1"})
    assert answer.status_code == 503
    assert world.broker.sent == []


@pytest.mark.parametrize(
    "path", ["/health/live", "/health/ready", "/api/v1/products/A", "/api/v1/cart", "/metrics"]
)
async def test_queries_and_health_are_served_while_commands_are_refused(
    client: httpx.AsyncClient, world: World, path: str
) -> None:
    world.services.gate.see(loop_seconds=10**9)
    assert (await client.get(path)).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/api/v1/checkout", 405),
        ("DELETE", "/api/v1/checkout", 405),
        ("POST", "/api/v1/cart", 405),
        ("PATCH", "/api/v1/orders/6c1f6f0e-5f39-5d7e-8a4e-0a8f6b0c1d2e", 405),
        ("POST", "/api/v1/nowhere", 404),
        ("POST", "/api/v1/checkout/nowhere", 404),
        ("POST", "/api/v1/checkout", 503),
        ("DELETE", "/api/v1/cart/items/A", 503),
        ("POST", "/api/v1/orders/6c1f6f0e-5f39-5d7e-8a4e-0a8f6b0c1d2e/cancel", 503),
        ("PATCH", "/api/v1/products/A", 503),
        ("POST", "/api/v1/inventory/A/receive", 503),
    ],
)
async def test_what_no_route_takes_is_told_so_though_commands_are_refused(
    client: httpx.AsyncClient, world: World, method: str, path: str, allowed: int
) -> None:
    world.services.gate.see(loop_seconds=10**9)
    assert (await client.request(method, path)).status_code == allowed
