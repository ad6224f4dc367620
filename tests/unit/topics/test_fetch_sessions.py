"""Fetch sessions name what changed, and begin anew whenever the broker may think otherwise."""

import asyncio
import importlib.metadata
import inspect
from typing import Any

import pytest
from aiokafka.consumer.fetcher import Fetcher
from aiokafka.errors import NodeNotReadyError
from aiokafka.protocol.fetch import FetchRequest, FetchRequest_v11, FetchResponse_v11

from topics import fetch_sessions
from topics.fetch_sessions import FetchingClient

Asked = dict[tuple[str, int], int]
EPOCH_UNKNOWN, OUT_OF_RANGE = 71, 1


class Broker:
    """A node that takes note of what it is asked, and answers what it is told to."""

    def __init__(self) -> None:
        self.seen: list[FetchRequest_v11] = []
        self.session, self.error = 7, 0
        self.failure: BaseException | None = None
        self.topics: list[Any] = []

    async def send(self, _node: int, request: Any) -> FetchResponse_v11:
        self.seen.append(request.build(FetchRequest_v11))
        if self.failure:
            raise self.failure
        return FetchResponse_v11(0, self.error, self.session, self.topics)


def full(asked: Asked) -> FetchRequest:
    return FetchRequest(500, 1, 1000, 0, [(t, [(p, offset, 100)]) for (t, p), offset in asked.items()])


def offsets(request: FetchRequest_v11) -> Asked:
    named: Any = vars(request)["topics"]
    return {(t, p): offset for t, partitions in named for p, _, offset, _, _ in partitions}


def wait(request: FetchRequest_v11) -> int:
    found: int = vars(request)["max_wait_time"]
    return found


def state(request: FetchRequest_v11) -> tuple[int, int]:
    return vars(request)["session_id"], vars(request)["session_epoch"]


@pytest.fixture
def broker() -> Broker:
    return Broker()


def ask(client: FetchingClient, asked: Asked) -> FetchRequest:
    request = full(asked)
    asyncio.run(client.send(1, request))
    return request


def test_after_the_first_fetch_only_changes_are_named(broker: Broker) -> None:
    client = FetchingClient(broker)
    for asked in ({("a", 0): 1, ("b", 0): 5}, {("a", 0): 2, ("b", 0): 5}, {("a", 0): 2, ("c", 3): 0}):
        ask(client, asked)
    first, second, third = broker.seen
    assert (state(first), state(second), state(third)) == ((0, 0), (7, 1), (7, 2))
    assert offsets(first) == {("a", 0): 1, ("b", 0): 5}
    assert offsets(second) == {("a", 0): 2}
    assert offsets(third) == {("c", 3): 0}
    assert vars(third)["forgotten_topics_data"] == [("b", [0])]
    assert vars(second)["rack_id"] == ""


def test_the_fetcher_finds_the_offset_of_every_partition_in_the_answer(broker: Broker) -> None:
    client = FetchingClient(broker)
    ask(client, {("a", 0): 1, ("b", 0): 5})
    broker.topics = [("b", [(0, 0, 9, 9, 0, [], -1, b"")])]
    assert ask(client, {("a", 0): 2, ("b", 0): 5}).topics == [("b", [(0, 5, 100)])]


def answers(*topics: str, error: int = 0) -> list[Any]:
    return [(topic, [(0, error, 9, 9, 0, [], -1, b"")]) for topic in topics]


class Doubts:
    """Tells that some topics are others, and takes note of what it is asked."""

    def __init__(self, *others: str) -> None:
        self.others = others
        self.asked: list[set[str]] = []
        self.failure: Exception | None = None

    async def __call__(self, topics: Any) -> set[str]:
        self.asked.append(set(topics))
        if self.failure:
            raise self.failure
        return set(topics).intersection(self.others)


def test_a_topic_that_is_another_is_held_until_it_is_released(broker: Broker) -> None:
    doubts = Doubts()
    client = FetchingClient(broker, doubts)
    asked = {("a", 0): 1, ("b", 0): 5}
    broker.topics = answers("a", "b")
    ask(client, asked)
    ask(client, asked)
    assert doubts.asked == [{"a", "b"}], "a session that goes on without an error is not doubted"
    doubts.others = ("b",)
    broker.topics = [*answers("a"), *answers("b", error=OUT_OF_RANGE)]
    assert ask(client, asked).topics == [("a", [(0, 1, 100)])]
    assert doubts.asked[1:] == [{"b"}]
    assert client.held == {"b"}
    broker.topics = answers("a")
    ask(client, {("a", 0): 2, ("b", 0): 5})
    assert vars(broker.seen[-1])["forgotten_topics_data"] == [("b", [0])]
    client.release()
    doubts.others = ()
    broker.topics = answers("b")
    assert ask(client, asked).topics == [("b", [(0, 5, 100)])]
    assert offsets(broker.seen[-1]) == asked
    assert doubts.asked[2:] == [{"b"}]


def test_the_first_records_of_a_topic_are_doubted(broker: Broker) -> None:
    doubts = Doubts()
    client = FetchingClient(broker, doubts)
    asked = {("empty", 0): 0, ("read", 0): 5}
    ask(client, asked)
    broker.topics = [(topic, [(0, 0, 9, 9, 0, [], -1, b"records")]) for topic in ("empty", "read")]
    ask(client, asked)
    assert doubts.asked == [{"empty"}], "one that was made anew unseen has no other sign"


def test_an_answer_that_cannot_be_trusted_is_told_again(broker: Broker) -> None:
    doubts = Doubts()
    doubts.failure = NodeNotReadyError()
    client = FetchingClient(broker, doubts)
    broker.topics = answers("a")
    with pytest.raises(NodeNotReadyError):
        ask(client, {("a", 0): 1})
    doubts.failure = None
    ask(client, {("a", 0): 1})
    assert (state(broker.seen[-1]), offsets(broker.seen[-1])) == ((7, 0), {("a", 0): 1})


@pytest.mark.parametrize("trouble", ["forgotten", "full", "failed", "cancelled"])
def test_a_session_that_is_in_doubt_is_begun_anew(broker: Broker, trouble: str) -> None:
    client = FetchingClient(broker)
    ask(client, {("a", 0): 1})
    match trouble:
        case "forgotten":
            broker.error, broker.session = EPOCH_UNKNOWN, 0
        case "full":
            broker.session = 0
        case "failed":
            broker.failure = NodeNotReadyError()
        case "cancelled":
            broker.failure = asyncio.CancelledError()
    if broker.failure:
        with pytest.raises(type(broker.failure)):
            ask(client, {("a", 0): 1})
    else:
        ask(client, {("a", 0): 1})
    broker.failure, broker.error, broker.session = None, 0, 8
    for _ in range(2):
        ask(client, {("a", 0): 1})
    again, then = broker.seen[-2:]
    assert state(again) == (7 if trouble in ("failed", "cancelled") else 0, 0)
    assert offsets(again) == {("a", 0): 1}
    assert (state(then), offsets(then)) == ((8, 1), {})


async def test_a_request_under_way_does_not_tell_the_next_what_the_broker_knows(broker: Broker) -> None:
    client = FetchingClient(broker)
    await client.send(1, full({("a", 0): 1}))
    held, answer = asyncio.Event(), broker.send

    async def slow(_node: int, request: Any) -> FetchResponse_v11:
        answered = await answer(_node, request)
        await held.wait()
        return answered

    broker.send = slow  # type: ignore[method-assign] # a slow broker
    under_way = asyncio.create_task(client.send(1, full({("a", 0): 1, ("b", 0): 5})))
    await asyncio.sleep(0)
    client.release()
    held.set()
    await under_way
    await client.send(1, full({("a", 0): 1}))
    assert (state(broker.seen[-1]), offsets(broker.seen[-1])) == ((7, 0), {("a", 0): 1})


def test_what_was_not_asked_for_is_left_out_of_the_answer(broker: Broker) -> None:
    client = FetchingClient(broker, Doubts())
    broker.topics = [("a", [(0, 0, 9, 9, 0, [], -1, b"x"), (1, 0, 9, 9, 0, [], -1, b"x")]), *answers("b")]
    request = full({("a", 0): 1})
    response = asyncio.run(client.send(1, request))
    assert [(topic, [each[0] for each in parts]) for topic, parts in response.topics] == [("a", [0])]
    assert request.topics == [("a", [(0, 1, 100)])]


def test_what_is_no_fetch_goes_as_it_is(broker: Broker) -> None:
    client = FetchingClient(broker)
    with pytest.raises(AttributeError):
        asyncio.run(client.send(1, object()))
    assert client.session == broker.session


def test_aiokafka_is_as_it_was_read() -> None:
    assert importlib.metadata.version("aiokafka").startswith("0.14.")
    process = inspect.getsource(Fetcher._proc_fetch_request)
    assert "await self._client.send(node_id, request)" in process
    assert process.index("_client.send(") < process.index("in request.topics")
    assert "tp_state.position != fetch_offset" in process


class Consumer:
    """What is fed by another way, and where the positions were moved to."""

    def __init__(self) -> None:
        self.fed: Asked = {}
        self.sought: list[tuple[str, int, int]] = []
        self.lost: set[str] = set()

    def seek(self, topic: str, partition: int, offset: int) -> bool:
        self.sought.append((topic, partition, offset))
        return topic not in self.lost


def test_what_is_fed_is_looked_at_now_and_then_and_no_fetch_waits_for_it(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [100.0]
    monkeypatch.setattr("topics.fetch_sessions.time.monotonic", lambda: clock[0])
    consumer = Consumer()
    client = FetchingClient(broker, fed=lambda: consumer.fed, seek=consumer.seek)
    asked = {("in", 0): 1, ("inner", 0): 5}
    ask(client, asked)
    assert offsets(broker.seen[0]) == asked
    consumer.fed = {("inner", 0): 8}
    ask(client, asked)
    look, fetch = broker.seen[1:]
    assert (offsets(look), wait(look), state(look)) == ({("inner", 0): 8}, 0, (0, 0))
    assert (offsets(fetch), wait(fetch), state(fetch)) == ({}, 200, (7, 1))
    assert vars(fetch)["forgotten_topics_data"] == [("inner", [0])]
    assert consumer.sought == [("inner", 0, 8)]
    ask(client, {("in", 0): 2, ("inner", 0): 8})
    assert [offsets(each) for each in broker.seen[3:]] == [{("in", 0): 2}], "no look so soon"
    clock[0] += fetch_sessions.LOOK_S
    ask(client, {("in", 0): 2, ("inner", 0): 8})
    assert [wait(each) for each in broker.seen[4:]] == [0, 200]


def test_what_a_look_finds_is_the_answer_and_there_may_be_more(broker: Broker) -> None:
    consumer = Consumer()
    consumer.fed = {("inner", 0): 8}
    client = FetchingClient(broker, fed=lambda: consumer.fed, seek=consumer.seek)
    broker.topics = [("inner", [(0, 0, 9, 9, 0, [], -1, b"records")])]
    request = ask(client, {("in", 0): 1, ("inner", 0): 5})
    assert request.topics == [("inner", [(0, 8, 100)])], "it was fetched from behind what was fed"
    assert len(broker.seen) == 1
    ask(client, {("in", 0): 1, ("inner", 0): 9})
    assert [(offsets(each), wait(each)) for each in broker.seen[1:]] == [({("in", 0): 1}, 0)]
    ask(client, {("in", 0): 1, ("inner", 0): 9})
    assert [(offsets(each), wait(each)) for each in broker.seen[2:]] == [({("inner", 0): 9}, 0)]
    broker.topics = []
    for _ in range(2):
        ask(client, {("in", 0): 1, ("inner", 0): 9})
    assert [wait(each) for each in broker.seen[3:]] == [0, 0, 200], (
        "a fetch, a look that finds nothing, a fetch"
    )


def test_what_is_fed_no_more_is_fetched_again_from_where_it_was(broker: Broker) -> None:
    consumer = Consumer()
    consumer.fed = {("inner", 0): 8}
    client = FetchingClient(broker, fed=lambda: consumer.fed, seek=consumer.seek)
    ask(client, {("in", 0): 1, ("inner", 0): 5})
    consumer.fed = {}
    ask(client, {("in", 0): 1, ("inner", 0): 8})
    assert offsets(broker.seen[-1]) == {("inner", 0): 8}
    assert wait(broker.seen[-1]) == 500


def test_partitions_that_have_left_are_not_looked_at(broker: Broker) -> None:
    consumer = Consumer()
    consumer.fed, consumer.lost = {("inner", 0): 8, ("gone", 0): 3}, {"gone"}
    client = FetchingClient(broker, fed=lambda: consumer.fed, seek=consumer.seek)
    ask(client, {("in", 0): 1, ("inner", 0): 9, ("gone", 0): 0})
    assert offsets(broker.seen[0]) == {("inner", 0): 9}, "and nothing is sought back"


def test_where_everything_is_fed_there_is_one_session_that_waits(broker: Broker) -> None:
    consumer = Consumer()
    consumer.fed = {("inner", 0): 8}
    client = FetchingClient(broker, fed=lambda: consumer.fed, seek=consumer.seek)
    ask(client, {("inner", 0): 5})
    assert [(offsets(each), wait(each)) for each in broker.seen] == [({("inner", 0): 5}, 500)]
