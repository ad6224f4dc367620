"""The consumer's thread: what it tells of its reading, and whether it lets its coordinator leave."""

import inspect
from collections.abc import Collection
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.consumer.subscription_state import SubscriptionState
from aiokafka.errors import CommitFailedError, IllegalStateError
from aiokafka.structs import OffsetAndMetadata
from faust.types import TP

from streams.kernel.faust_mends import SessionConsumerThread
from topics.fetch_sessions import FetchingClient

READ, UNREAD = TopicPartition("source", 0), TopicPartition("source", 1)


class Consumer:
    """A consumer that notes under which instance id its coordinator was closed."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self._coordinator = SimpleNamespace(
            _group_instance_id="host-0", request_rejoin=lambda: self.done.append("rejoin")
        )
        self._client = SimpleNamespace(force_metadata_update=self._look)
        self._subscription = SubscriptionState()
        self.closed_as: list[str | None] = []
        self.committed: dict[TopicPartition, int | None] = {}
        self.sought: list[tuple[TopicPartition, int]] = []
        self.commits: list[dict[TopicPartition, OffsetAndMetadata]] = []
        self.fails: Exception | None = None

    async def _look(self) -> None:
        self.done.append("metadata")

    async def commit(self, offsets: dict[TopicPartition, OffsetAndMetadata]) -> None:
        if self.fails is not None:
            raise self.fails
        self.commits.append(offsets)

    async def seek_to_committed(self) -> dict[TopicPartition, int | None]:
        return self.committed

    def seek(self, place: TopicPartition, offset: int) -> None:
        self.sought.append((place, offset))

    async def stop(self) -> None:
        self.closed_as.append(self._coordinator._group_instance_id)


def thread(
    consumer: Consumer | None,
    *,
    leaves: bool = False,
    changelogs: Collection[str] = (),
    anew: Collection[TopicPartition] = (),
) -> SessionConsumerThread:
    made: Any = SessionConsumerThread.__new__(SessionConsumerThread)
    made.app = SimpleNamespace(
        leaves=leaves,
        tables=SimpleNamespace(changelog_topics=changelogs),
        anew=lambda: frozenset(anew),
        source_ids={"source": "an-id"},
    )
    made._method_queue = None
    made._consumer = consumer
    return made  # type: ignore[no-any-return] # made without its parents


@pytest.mark.parametrize(("leaves", "closed_as"), [(True, None), (False, "host-0")])
async def test_a_coordinator_leaves_where_it_is_not_static_any_more(
    leaves: bool,  # noqa: FBT001 - a parameter of the test
    closed_as: str | None,
) -> None:
    consumer = Consumer()
    await thread(consumer, leaves=leaves).on_thread_stop()
    assert consumer.closed_as == [closed_as]
    assert "self._group_instance_id is None" in inspect.getsource(GroupCoordinator._maybe_leave_group)


async def test_what_was_read_is_told_of_the_partitions_in_hand() -> None:
    consumer = Consumer()
    reading = thread(consumer)
    assert reading.read() == {}
    consumer._subscription.subscribe({"source"})
    assert reading.read() == {}
    consumer._subscription.assign_from_subscribed({READ, UNREAD})
    consumer._subscription.subscription.assignment.state_value(READ).seek(7)
    assert reading.read() == {tuple(READ): 7}


async def test_before_the_consumer_is_made_nothing_was_read() -> None:
    assert thread(None).read() == {}
    await thread(None).on_thread_stop()


async def test_a_source_of_which_nothing_is_committed_is_read_from_its_beginning() -> None:
    consumer = Consumer()
    never, at_nought = TopicPartition("source", 2), TopicPartition("source", 3)
    changelog = TopicPartition("changelog", 2)
    consumer.committed = {READ: 7, never: None, at_nought: 0, changelog: None}
    reading = thread(consumer, changelogs={"changelog"})
    assert await reading._seek_to_committed() == consumer.committed
    assert consumer.sought == [(never, 0), (at_nought, 0)]
    assert "if offset and offset > 0:" in inspect.getsource(AIOKafkaConsumer.seek_to_committed)


async def test_what_was_committed_for_a_topic_that_was_made_anew_is_not_sought() -> None:
    consumer = Consumer()
    consumer.committed = {READ: 7, UNREAD: 9}
    await thread(consumer, anew=[UNREAD])._seek_to_committed()
    assert consumer.sought == [(UNREAD, 0)]


async def test_a_commit_carries_the_topic_s_id(monkeypatch: pytest.MonkeyPatch) -> None:
    consumer = Consumer()
    committing = thread(consumer)
    monkeypatch.setattr(committing, "assignment", lambda: {TP(*READ)}, raising=False)
    assert await committing._commit({TP(*READ): 7, TP(*UNREAD): 3})
    assert consumer.commits == [{READ: OffsetAndMetadata(7, "topic=an-id;")}]


async def test_what_was_committed_for_a_topic_that_was_made_anew_counts_as_not_committed() -> None:
    consumer = Consumer()
    consumer.committed = {READ: 7, UNREAD: 9}
    # An equal offset of the new topic is to be committed.
    assert await thread(consumer, anew=[UNREAD])._seek_to_committed() == {READ: 7, UNREAD: None}


async def test_who_joins_again_looks_first_what_topics_there_are() -> None:
    consumer = Consumer()
    await thread(consumer)._rejoin()
    assert consumer.done == ["metadata", "rejoin"]
    assert "_maybe_wait_metadata" in inspect.getsource(GroupCoordinator._perform_assignment)


async def test_topics_that_were_held_are_fetched_again_once_the_positions_are_sought() -> None:
    reading = thread(Consumer())
    assert reading.held == frozenset()
    fetching = reading._fetching = FetchingClient(None)
    fetching.held = frozenset({"source"})
    assert reading.held == {"source"}
    await reading._seek_to_committed()
    assert reading.held == frozenset()


@pytest.mark.parametrize(
    ("error", "crashes"),
    [
        (CommitFailedError("the group has already rebalanced"), False),
        (CommitFailedError("otherwise"), True),
        (IllegalStateError("not assigned"), True),
    ],
)
async def test_a_commit_that_fails_for_good_ends_the_worker(
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    crashes: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    consumer = Consumer()
    consumer.fails = error
    crashed: list[BaseException] = []

    async def crash(reason: BaseException) -> None:
        crashed.append(reason)

    committing = thread(consumer)
    monkeypatch.setattr(committing, "assignment", lambda: {TP(*READ)}, raising=False)
    monkeypatch.setattr(committing, "crash", crash, raising=False)
    assert not await committing._commit({TP(*READ): 7})
    assert crashed == ([error] if crashes else [])
