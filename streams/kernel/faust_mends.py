"""The one room that reaches into Faust 0.15.3: what has to be otherwise, and why.

All by subclassing what Faust lets one replace; `tests/unit/kernel/test_faust_pins.py` pins the version and
the internals that are used here.

- `OwningRecovery`: the kernel restores the tables itself (`restore`), in bulk, after fencing the owner
  before, and the flow is stopped while the sources are sought. Stock Faust delivers records between the seek
  and the resume and then clears them away: they are lost (faust-streaming#596). The kernel also follows the
  standbys itself (`standby`).
- `OwningAssignor`: says who owns and who follows, where there are standbys. Of three workers and more, stock
  Faust gives most of a dead one's partitions to others than their standbys.
- `AppliedOffsetsConsumer.force_commit`: commits exactly what the kernel has applied durably. Stock Faust
  commits past messages that are still in flight (faust-streaming#606).
- `AppliedOffsetsConsumer._drain_messages`: one event per partition and fetch, whose value is the list of raw
  records. Stock Faust makes an event, a message, two asyncio tasks and a wait per record.
- `SessionConsumerThread.seek_to_committed`: what was fetched while the flow was stopped is fetched again,
  also where nothing was ever committed. aiokafka leaves such a partition where it stands: its first records
  were lost where they came at the end of a rebalance.
- `SessionConsumerThread._commit`: each committed offset carries the id of its topic, and what was committed
  for a topic that was made anew is not sought. Stock Faust goes on at the old offset: the new topic's records
  before it are lost.
- `SessionConsumerThread.rejoin`: the group is formed anew where its topics are others. aiokafka sees them
  come by its metadata alone, minutes later, and a static member that was started again never looks.
- `SessionConsumerThread.on_thread_stop`: a worker that is stopped for good leaves its group. aiokafka lets no
  static member leave, so its partitions would wait until the session times out.
"""

import asyncio
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Any, Protocol, cast

import faust
from aiokafka.errors import CommitFailedError, ConsumerStoppedError, KafkaError
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from faust.assignor.client_assignment import ClientAssignment
from faust.assignor.partition_assignor import PartitionAssignor
from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Transport
from faust.types import TP
from mode.types import ServiceT

from streams.kernel.placement import Placed, placed
from topics.fetch_sessions import FetchingClient, keep_fetch_sessions
from topics.identity import mark

FETCH_TIMEOUT_S = 1.0


class OwningApp(Protocol):
    """What the mended parts ask of the app."""

    async def on_assigned(self, owned: set[TP], standbys: set[TP]) -> None:
        """Take over and restore the owned changelogs' partitions; when this returns, records may come.

        Those of `standbys` have other owners, and are to be followed.
        """

    def applied(self) -> Mapping[TP, int]:
        """Return per source partition the offset up to which all is applied (exclusive)."""

    def anew(self) -> frozenset[TP]:
        """Return the source partitions that are to be read from their beginning, whatever was committed."""

    async def other_sources(self, topics: Collection[str]) -> Collection[str]:
        """Return those of the topics that are not the ones of `source_ids`. Raises aiokafka's KafkaError."""

    def begin(self, offsets: Mapping[TP, int]) -> None:
        """Be told from where partitions are fetched from now on."""

    def fed(self) -> Mapping[tuple[str, int], int]:
        """Return partitions that are to be looked at now and then, and the offset behind which, at least."""

    @property
    def source_ids(self) -> Mapping[str, str]:
        """The ids of the source topics, to which commits belong."""

    @property
    def leaves(self) -> bool:
        """Whether the consumer, when it stops, gives its partitions to the others at once."""


class OwningRecovery(Recovery):
    """Recovery that leaves restoring to the kernel."""

    completed_generation: int | None = None
    """The group's generation for which records have last been let in."""

    def add_active(self, table: Any, tp: TP) -> None:
        """Keep the partition out of Faust's own recovery: the kernel restores it."""

    def add_standby(self, table: Any, tp: TP) -> None:
        """Keep it out as well: the kernel follows it."""

    async def on_recovery_completed(self, generation_id: int = 0) -> None:
        """Take over the assigned partitions, then let the sources flow."""
        app = cast("faust.App", self.app)
        # Nothing may be delivered between the seek and the resume that follow (faust-streaming#596).
        app.consumer.stop_flow()
        changelogs = {tp for tp in app.consumer.assignment() if self._is_changelog_tp(tp)}
        standbys = changelogs & app.assignor.assigned_standbys()
        await self._wait(cast("OwningApp", app).on_assigned(changelogs - standbys, standbys))
        await super().on_recovery_completed(generation_id)
        self.completed_generation = generation_id


class OwningAssignor(PartitionAssignor):
    """An assignor by which whoever follows a partition takes it over (see `placement`)."""

    def _perform_assignment(self, cluster: Any, member_metadata: Any) -> Any:
        self._before: dict[str, ClientAssignment] = {
            member: self._get_client_metadata(metadata).assignment
            for member, metadata in member_metadata.items()
        }
        return super()._perform_assignment(cluster, member_metadata)

    def _global_table_standby_assignments(self, assignments: Any, partitions_by_topic: Any) -> Any:
        # Faust's last step but for the protocol's; there is no global table.
        if self.replicas:
            groups: dict[tuple[int, tuple[str, ...]], set[str]] = {}
            for topic, partitions in partitions_by_topic.items():
                members = tuple(member for member, place in assignments.items() if topic in place.actives)
                groups.setdefault((partitions, members), set()).add(topic)
            for (partitions, members), topics in groups.items():
                were = {member: self._before[member].copartitioned_assignment(topics) for member in members}
                before = {
                    member: Placed(frozenset(was.actives), frozenset(was.standbys))
                    for member, was in were.items()
                }
                for member, place in placed(before, partitions, self.replicas).items():
                    for topic in topics:
                        assignments[member].actives[topic] = sorted(place.owned)
                        assignments[member].standbys[topic] = sorted(place.followed)
        return assignments


class OwningTableManager(TableManager):
    """A table manager with the recovery above."""

    _recovery: OwningRecovery | None

    @property
    def recovery(self) -> OwningRecovery:
        """Return the recovery service."""
        if self._recovery is None:
            self._recovery = OwningRecovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery


class AppliedOffsetsConsumer(Consumer):
    """A consumer that commits what is applied, and delivers whole fetches."""

    def _new_consumer_thread(self) -> AIOKafkaConsumerThread:
        return SessionConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def force_commit(
        self,
        topics: Any = None,  # noqa: ARG002 - Faust's signature
        start_new_transaction: bool = True,  # noqa: ARG002, FBT001, FBT002 - Faust's signature
    ) -> bool:
        """Commit the applied positions of the partitions that moved."""
        applied = cast("OwningApp", self.app).applied()
        moved = {tp: offset for tp, offset in applied.items() if self._committed_offset[tp] != offset}
        return bool(moved) and await self._commit_offsets(moved)

    @property
    def held(self) -> frozenset[str]:
        """The topics of which nothing is fetched, because they may not be what they were."""
        return cast("SessionConsumerThread", self._thread).held

    async def rejoin(self) -> None:
        """Have the group formed anew, by what topics there are now."""
        await cast("SessionConsumerThread", self._thread).rejoin()

    def read(self) -> dict[tuple[str, int], int]:
        """Return per partition in hand the offset up to which it was fetched (exclusive)."""
        return cast("SessionConsumerThread", self._thread).read()

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Raise no alarm from Faust's per-message bookkeeping: there is none. Lag is the broker's to tell."""

    async def _drain_messages(self, fetcher: ServiceT) -> None:
        stopping = self._stopped.is_set
        fetcher_stopping = cast("Any", fetcher)._stopped.is_set  # noqa: SLF001 - as stock Faust does
        try:
            while not (stopping() or fetcher_stopping()):
                await self._deliver_next()
                # A fetch that is served from the buffer does not wait: let others run.
                await asyncio.sleep(0)
        except (ConsumerStoppedError, asyncio.CancelledError):
            if not self.app.should_stop:
                raise

    async def _deliver_next(self) -> None:
        fetched, active = await self._wait_next_records(FETCH_TIMEOUT_S)
        if not fetched or self.should_stop:
            return
        if not self.flow_active:
            # Fetched before the flow was stopped: fetch them again when it goes on.
            with suppress(KafkaError):  # amid a rebalance, whose end seeks anyway
                await self.perform_seek()
            return
        generation = self.app.consumer_generation_id
        # The conductor's own way from a partition to the channels of its agents.
        index: Mapping[TP, set[Any]] = cast("Any", self.app.topics)._tp_index  # noqa: SLF001
        for tp, records in fetched.items():
            if active is not None and tp not in active:
                continue
            message = self._to_message(tp, records[-1])
            for channel in index[tp]:
                if self._interrupted(generation):
                    return  # a rebalance: what was not delivered is sought again
                event = self.app.create_event(None, list(records), None, message)
                if channel.queue.full():
                    await self.wait_first(channel.queue.put(event), self.suspend_flow.wait())
                else:
                    channel.queue.put_nowait(event)

    def _interrupted(self, generation: int) -> bool:
        return not self.flow_active or self.app.consumer_generation_id != generation


class SessionConsumerThread(AIOKafkaConsumerThread):
    """The consumer's thread, fetching in sessions: a worker has more partitions than records at a time."""

    _fetching: FetchingClient | None = None

    async def on_start(self) -> None:
        """Start the consumer."""
        await super().on_start()
        app = cast("OwningApp", self.app)
        self._fetching = keep_fetch_sessions(self._ensure_consumer(), app.other_sources, app.fed)

    @property
    def held(self) -> frozenset[str]:
        """The topics of which nothing is fetched, because they may not be what they were."""
        return self._fetching.held if self._fetching is not None else frozenset()

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Seek to what is committed, or to the beginning where nothing is; return what is committed."""
        committed: Mapping[TP, int] = await self.call_thread(self._seek_to_committed)
        cast("OwningApp", self.app).begin({tp: offset or 0 for tp, offset in committed.items()})
        return committed

    async def rejoin(self) -> None:
        """Look what topics there are, and join the group again."""
        await self.call_thread(self._rejoin)

    async def _rejoin(self) -> None:
        consumer = self._ensure_consumer()
        # Of a topic that is not there no fetch tells, so that the metadata would be looked at minutes later.
        await consumer._client.force_metadata_update()  # noqa: SLF001 - no other way leads to a rebalance
        consumer._coordinator.request_rejoin()  # noqa: SLF001 - the same

    async def _seek_to_committed(self) -> dict[TopicPartition, int | None]:
        consumer = self._ensure_consumer()
        if self._fetching is not None:
            self._fetching.release()
        changelogs = self.app.tables.changelog_topics
        anew = cast("OwningApp", self.app).anew()
        committed: dict[TopicPartition, int | None] = await consumer.seek_to_committed()
        for tp, offset in committed.items():
            if (not offset or tp in anew) and tp.topic not in changelogs:
                # Retention may have removed what was there: then the broker says so, and the first is read.
                consumer.seek(tp, 0)
        # What Faust takes for committed it does not commit again: an equal offset of the new topic.
        return {tp: None if tp in anew else offset for tp, offset in committed.items()}

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        """Commit as stock Faust does, and beside each offset the id of the topic that it belongs to."""
        consumer = self._ensure_consumer()
        ids = cast("OwningApp", self.app).source_ids
        assigned = self.assignment()
        marked = {
            TopicPartition(tp.topic, tp.partition): OffsetAndMetadata(offset, mark(ids.get(tp.topic)))
            for tp, offset in offsets.items()
            if tp in assigned
        }
        try:
            await consumer.commit(marked)
        except CommitFailedError as error:
            if "already rebalanced" not in str(error):
                await self.crash(error)
            return False
        except Exception as error:  # noqa: BLE001 - as stock Faust does: the worker ends with it
            await self.crash(error)
            return False
        return True

    async def on_thread_stop(self) -> None:
        """Stop the consumer."""
        if self._consumer is not None and cast("OwningApp", self.app).leaves:
            # Which is all that keeps the coordinator from leaving when it closes.
            self._consumer._coordinator._group_instance_id = None  # noqa: SLF001 - it has no other way
        await super().on_thread_stop()

    def read(self) -> dict[tuple[str, int], int]:
        """Return per partition in hand the offset up to which it was fetched (exclusive)."""
        if self._consumer is None:
            return {}
        subscription = self._consumer._subscription.subscription  # noqa: SLF001 - as stock Faust does
        if subscription is None or subscription.assignment is None:
            return {}
        states = {tp: subscription.assignment.state_value(tp) for tp in subscription.assignment.tps}
        return {
            (tp.topic, tp.partition): state.position
            for tp, state in states.items()
            if state is not None and state.has_valid_position
        }


class OwningTransport(Transport):
    """The Kafka transport with the consumer above."""

    Consumer = AppliedOffsetsConsumer
