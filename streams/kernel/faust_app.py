"""The Faust app: one agent and one table per flow, bound to the kernel."""

import asyncio
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import faust
import structlog
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaConnectionError
from aiokafka.structs import TopicPartition
from confluent_kafka import KafkaException
from faust.stores.rocksdb import Store as FaustStore
from faust.types import TP, TransportT
from faust.types.tables import TableT

from streams.kernel.agent import flow_agent
from streams.kernel.appends import REQUEST_TIMEOUT_MS, Appends
from streams.kernel.broker_credentials import broker_credentials
from streams.kernel.faust_mends import (
    AppliedOffsetsConsumer,
    OwningAssignor,
    OwningTableManager,
    OwningTransport,
)
from streams.kernel.fenced_changelog import FencedChangelog
from streams.kernel.flow import Flow
from streams.kernel.meters import Meters
from streams.kernel.ownership import Ownership, Place, Possession
from streams.kernel.ports import Content
from streams.kernel.publisher import KafkaPublisher
from streams.kernel.restore import Target, restore
from streams.kernel.rocks_store import RocksStore
from streams.kernel.source_ends import ANSWER_S
from streams.kernel.sources import Sources
from streams.kernel.standby import Standby
from streams.kernel.standstill import Look
from topics.connection import aiokafka_options
from topics.identity import LOOK_S, TopicMadeAnewError, committed_ids, ids_there, stale
from topics.offsets import end_offsets
from topics.settings import Settings
from topics.skips import SkipsFollower

log = structlog.get_logger(__name__)

COMMIT_INTERVAL_S = 1.0
SESSION_TIMEOUT_S = 10.0
HEARTBEAT_S = 3.0
FETCHED_AT_ONCE = 2_000
QUEUED_FETCHES = 16
REJOINS = 3
"""How often the group is formed anew for the same topics before the worker ends."""

# One database per table and partition: Faust's defaults (2 GiB of cache each) are for one big table.
ROCKSDB_OPTIONS = {
    "write_buffer_size": 8 * 1024 * 1024,
    "max_write_buffer_number": 2,
    "block_cache_size": 32 * 1024 * 1024,
    "max_open_files": 256,
}


class StreamsApp(faust.App):
    """The platform's Faust app. `instance` names the process in the group and in ownership records.

    `standbys` other workers follow each partition's state.
    """

    def __init__(
        self,
        flows: Sequence[Flow[Any]],
        settings: Settings,
        *,
        app_id: str,
        instance: str,
        data_dir: Path,
        meters: Meters,
        standbys: int = 0,
    ) -> None:
        super().__init__(
            app_id,
            broker=[f"kafka://{address}" for address in settings.kafka_bootstrap.split(",")],
            broker_credentials=broker_credentials(settings),
            store="rocksdb://",
            datadir=data_dir,
            autodiscover=False,
            web_enabled=False,
            worker_redirect_stdouts=False,
            TableManager=OwningTableManager,
            PartitionAssignor=OwningAssignor,
            # Topics belong to topics/admin: Faust neither creates nor changes any.
            topic_allow_declare=False,
            topic_disable_leader=True,
            topic_partitions=settings.partitions,
            topic_replication_factor=settings.replication,
            table_standby_replicas=standbys,
            consumer_group_instance_id=instance,
            broker_session_timeout=SESSION_TIMEOUT_S,
            broker_heartbeat_interval=HEARTBEAT_S,
            broker_commit_interval=COMMIT_INTERVAL_S,
            broker_max_poll_records=FETCHED_AT_ONCE,
            stream_buffer_maxsize=QUEUED_FETCHES,
            # The kernel finishes what is in flight at a handover, and commits what is applied.
            stream_wait_empty=False,
            producer_acks=-1,
        )
        self.settings = settings
        self.flows = tuple(flows)
        self.instance = instance
        self.publisher = KafkaPublisher(settings, f"{app_id}-{instance}", self._hand_over)
        self.client: AIOKafkaClient | None = None
        self.leaves = False
        self._left: Mapping[TP, int] = {}
        self._restored = 0
        self._timing: asyncio.Future[None] | None = None
        self._appends: Appends | None = None
        self._skipping = SkipsFollower(settings)
        self.ownership = Ownership(
            self.flows,
            takeover=self._take_over,
            publisher=self.publisher,
            clock=lambda: time.time_ns() // 1_000_000,
            meters=meters,
            failed=self._fail,
            sources=self._see_sources,
            skips=self._skipping.skips,
        )
        self._sources = frozenset(route.topic.name for flow in self.flows for route in flow.routes)
        self.source_ids: Mapping[str, str] = {}
        """The ids of the source topics as they were when partitions were taken over last."""
        self._stale: set[tuple[str, int]] = set()
        self._tables_by_flow: dict[str, TableT[bytes, bytes]] = {}
        self._changelogs = {flow.name: flow.table.changelog.name for flow in self.flows}
        self._flow_by_changelog = {topic: name for name, topic in self._changelogs.items()}
        self.standby = Standby(settings, self._flow_by_changelog, meters, self._fail)
        for flow in self.flows:
            self._declare(flow)
        self.on_partitions_revoked.connect(self._on_revoked)

    def _declare(self, flow: Flow[Any]) -> None:
        """Declare the flow's agent and table; raw bytes on both sides, the kernel decodes."""
        raw: dict[str, Any] = dict.fromkeys(("key_type", "value_type"), bytes)
        raw |= dict.fromkeys(("key_serializer", "value_serializer"), "raw")
        changelog = self._changelogs[flow.name]
        self._tables_by_flow[flow.name] = self.Table(
            flow.table.name,
            partitions=self.settings.partitions,
            key_type=bytes,
            value_type=bytes,
            changelog_topic=self.topic(changelog, partitions=self.settings.partitions, **raw),
            options=dict(ROCKSDB_OPTIONS),
        )
        # Not acknowledged to Faust: what may be committed is known from the applied positions.
        sources = self.topic(*(route.topic.name for route in flow.routes), acks=False, **raw)
        self.agent(sources, name=f"streams.{flow.name}", concurrency=1)(flow_agent(flow.name, self.ownership))

    def _new_transport(self) -> TransportT:
        return OwningTransport(self.conf.broker_consumer, self)

    async def on_start(self) -> None:
        """Connect the kernel's own ways to the broker, then start Faust."""
        await self.publisher.start()
        await self._skipping.start()
        self.client = AIOKafkaClient(
            **aiokafka_options(self.settings),
            client_id=f"{self.conf.id}-{self.instance}-changelog",
            request_timeout_ms=REQUEST_TIMEOUT_MS,
        )
        await self.client.bootstrap()
        await self.client.set_topics(list(self._flow_by_changelog))
        self._timing = self.add_future(self.ownership.run_timers())
        self.add_future(self._watch_sources())
        await super().on_start()

    async def on_stop(self) -> None:
        """Finish what is in flight, let Faust commit it and stop."""
        if self._timing is not None:
            # What is not sent by now comes due again, at the next owner.
            self._timing.cancel()
            await asyncio.wait((self._timing,))
        await self.standby.stop()
        self._left = _by_partition(await self.ownership.revoke())
        await super().on_stop()
        await self._skipping.stop()
        await self.publisher.stop()
        if self.client is not None:
            await self.client.close()

    async def on_assigned(self, owned: set[TP], standbys: set[TP]) -> None:
        """Own the partitions of these changelogs, and follow those (see `faust_mends`)."""
        await self.standby.stop()
        await self.ownership.assign(Place(self._flow_by_changelog[tp.topic], tp.partition) for tp in owned)
        await self.standby.follow(
            {
                TopicPartition(tp.topic, tp.partition): RocksStore(
                    self._store(self._flow_by_changelog[tp.topic]), tp.partition
                )
                for tp in standbys
            }
        )

    async def _see_sources(self) -> Sources:
        """Ask what the sources are, for as long as the broker does not answer."""
        names = self._sources
        places = {(name, partition) for name in names for partition in range(self.settings.partitions)}
        while True:
            try:
                ids = await asyncio.to_thread(ids_there, self.settings, names, ANSWER_S)
                there = {place for place in places if place[0] in ids}
                ends = await asyncio.to_thread(end_offsets, self.settings, there, ANSWER_S)
                commits = await asyncio.to_thread(committed_ids, self.settings, str(self.conf.id), ANSWER_S)
            except KafkaException as error:
                log.warning("broker does not answer, the worker waits for it", error=str(error))
                await asyncio.sleep(1.0)
            else:
                self.source_ids = ids
                self._stale = stale(ids, commits)
                return Sources(ids, ends)

    async def _watch_sources(self) -> None:
        """Look for ever whether the group reads the topics that are there, and have it formed anew where not.

        What it takes over then begins anew where its topic does, with the stored state as the judge of what
        is applied. Where forming it does not help, the worker ends, and leaves: a member that comes back
        under its name is given the partitions that it had, without any look at the topics.
        """
        tried: list[Mapping[str, str]] = []
        while True:
            await asyncio.sleep(LOOK_S)
            with suppress(KafkaException):
                now = await asyncio.to_thread(ids_there, self.settings, self._sources, ANSWER_S)
                # Amid a rebalance nothing is owned, or not yet read.
                if not self._flowing():
                    continue
                amiss = {name: now[name] for name in self._amiss(now)}
                tried = [each for each in tried if each == amiss]
                if amiss and len(tried) == REJOINS:
                    self._fail(TopicMadeAnewError(f"{', '.join(amiss)}: deleted and created again"))
                    return
                if amiss:
                    tried.append(amiss)
                    log.warning("sources were made anew, the group forms anew", topics=list(amiss))
                    await cast("AppliedOffsetsConsumer", self.consumer).rejoin()

    async def other_sources(self, topics: Collection[str]) -> Collection[str]:
        """Return those of the topics that are not the ones of `source_ids`. Raises aiokafka's KafkaError."""
        try:
            now = await asyncio.to_thread(ids_there, self.settings, topics, ANSWER_S)
        except KafkaException as error:
            # Which has the consumer fetch again, a little later.
            raise KafkaConnectionError(str(error)) from error
        return {topic for topic in topics if topic not in now or now[topic] != self.source_ids.get(topic)}

    def _amiss(self, now: Mapping[str, str]) -> list[str]:
        """Return the sources that are other topics than at the last takeover, or are not read."""
        # Whether or not they are read here: the group's leader alone can have it formed anew, and need not
        # own any partition.
        other = {name for name, topic_id in now.items() if self.source_ids.get(name) != topic_id}
        other |= cast("AppliedOffsetsConsumer", self.consumer).held & now.keys()
        assigned = self.consumer.assignment()
        owned = (TP(*place) for place in self.ownership.sources() if place[0] in now)
        return sorted(other | {tp.topic for tp in owned if tp not in assigned})

    def _hand_over(self, topic: str, partition: int, first: int, sent: Sequence[Content]) -> None:
        self.ownership.hand_over(topic, partition, first, sent)

    def begin(self, offsets: Mapping[TP, int]) -> None:
        """Be told from where the consumer fetches."""
        self.ownership.begin({(tp.topic, tp.partition): offset for tp, offset in offsets.items()})

    def fed(self) -> Mapping[tuple[str, int], int]:
        """Return the source partitions to which only this worker sends, and the offset after what it has.

        None where it shares the partitions with others.
        """
        alone = self.ownership.owned == len(self.flows) * self.settings.partitions
        return self.ownership.fed() if alone else {}

    def anew(self) -> frozenset[TP]:
        """Return the source partitions whose topics were made anew, to be read from their beginning."""
        owned = self._stale & self.ownership.sources()
        return frozenset(TP(*place) for place in owned | self.ownership.anew())

    def applied(self) -> Mapping[TP, int]:
        """Return per source partition the offset up to which all is applied (exclusive)."""
        begun = dict.fromkeys(self.anew(), 0)
        return self._left or begun | _by_partition(self.ownership.applied())

    async def _on_revoked(self, *_: Any, **__: Any) -> None:
        await self.standby.stop()
        await self.ownership.revoke()

    async def _take_over(self, places: Sequence[Place]) -> Mapping[Place, Possession]:
        assert self.client is not None
        app_id = str(self.conf.id)
        appends = self._appends = Appends(self.client)
        changelogs = {
            place: FencedChangelog(
                appends, app_id, self._changelogs[place.flow], place.partition, self.instance
            )
            for place in places
        }
        ends = await asyncio.gather(*(changelog.acquire() for changelog in changelogs.values()))
        stores = {place: RocksStore(self._store(place.flow), place.partition) for place in places}
        began = time.perf_counter()
        restored = await restore(
            self.settings,
            {
                TopicPartition(self._changelogs[place.flow], place.partition): Target(stores[place], end)
                for place, end in zip(places, ends, strict=True)
            },
            self._tell_restored,
        )
        seconds = round(time.perf_counter() - began, 3)
        log.info("state restored", partitions=len(places), records=restored, seconds=seconds)
        return {place: Possession(stores[place], changelogs[place]) for place in places}

    def _tell_restored(self, records: int) -> None:
        self._restored += records

    def look(self) -> Look:
        """Return what the worker has read, restored and applied by now, and whether records may come."""
        consumer = cast("AppliedOffsetsConsumer | None", self._consumer)
        return Look(
            flowing=self._flowing(),
            read=consumer.read() if consumer is not None else {},
            backlog=self.ownership.backlog,
            restored=(self.consumer_generation_id, self._restored),
            answered=(
                self.publisher.answered,
                self._appends.answered if self._appends is not None else 0,
                *self.ownership.applied().items(),
            ),
        )

    def _flowing(self) -> bool:
        consumer = cast("AppliedOffsetsConsumer | None", self._consumer)
        completed = cast("OwningTableManager", self.tables).recovery.completed_generation
        return consumer is not None and consumer.flow_active and completed == self.consumer_generation_id

    def _store(self, flow: str) -> FaustStore:
        return cast("FaustStore", cast("Any", self._tables_by_flow[flow]).data)

    def _fail(self, error: Exception) -> None:
        """End the worker: a partition of it cannot go on, and the next one finds all that is durable."""
        log.error("worker ends", error=repr(error))
        self.add_future(self.crash(error))


def _by_partition(offsets: Mapping[tuple[str, int], int]) -> dict[TP, int]:
    return {TP(topic, partition): offset for (topic, partition), offset in offsets.items()}
