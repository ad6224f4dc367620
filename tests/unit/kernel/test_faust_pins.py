"""What the kernel reaches into: an upgrade of Faust or aiokafka has to look at `faust_mends` first."""

import importlib.metadata
import inspect

import aiokafka.client
import faust
import pytest
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.protocol.produce import ProduceRequest, ProduceResponse_v7
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from faust.assignor.client_assignment import ClientAssignment
from faust.assignor.partition_assignor import PartitionAssignor
from faust.stores.rocksdb import Store
from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery
from faust.transport.conductor import Conductor
from faust.transport.consumer import Consumer as BaseConsumer
from faust.transport.drivers.aiokafka import Consumer, Transport


def test_the_versions_are_the_ones_that_were_read() -> None:
    assert importlib.metadata.version("faust-streaming") == "0.15.3"
    assert importlib.metadata.version("aiokafka").startswith("0.14.")


@pytest.mark.parametrize(
    ("owner", "name", "parameters"),
    [
        (Recovery, "add_active", ["self", "table", "tp"]),
        (Recovery, "add_standby", ["self", "table", "tp"]),
        (Recovery, "on_recovery_completed", ["self", "generation_id"]),
        (Recovery, "_wait", ["self", "coro", "timeout"]),
        (Recovery, "_is_changelog_tp", ["self", "tp"]),
        (BaseConsumer, "force_commit", ["self", "topics", "start_new_transaction"]),
        (BaseConsumer, "_commit_offsets", ["self", "offsets", "start_new_transaction"]),
        (BaseConsumer, "_drain_messages", ["self", "fetcher"]),
        (BaseConsumer, "_wait_next_records", ["self", "timeout"]),
        (BaseConsumer, "verify_event_path", ["self", "now", "tp"]),
        (BaseConsumer, "perform_seek", ["self"]),
        (BaseConsumer, "stop_flow", ["self"]),
        (Consumer, "_to_message", ["self", "tp", "record"]),
        (Store, "_db_for_partition", ["self", "partition"]),
        (PartitionAssignor, "assigned_standbys", ["self"]),
        (PartitionAssignor, "_perform_assignment", ["self", "cluster", "member_metadata"]),
        (
            PartitionAssignor,
            "_global_table_standby_assignments",
            ["self", "assignments", "partitions_by_topic"],
        ),
        (ClientAssignment, "copartitioned_assignment", ["self", "topics"]),
        (faust.App, "_new_transport", ["self"]),
        (aiokafka.client.AIOKafkaClient, "force_metadata_update", ["self"]),
        (GroupCoordinator, "request_rejoin", ["self"]),
        (
            aiokafka.client.AIOKafkaClient,
            "coordinator_lookup",
            ["self", "coordinator_type", "coordinator_key"],
        ),
    ],
)
def test_the_internals_in_use_are_as_they_were_read(owner: type, name: str, parameters: list[str]) -> None:
    assert list(inspect.signature(getattr(owner, name)).parameters) == parameters


def test_the_extension_points_are_there() -> None:
    assert isinstance(vars(TableManager)["recovery"], property)
    assert Transport.Consumer is Consumer
    assert "_tp_index" in inspect.getsource(Conductor.on_partitions_assigned)
    assert "verify_event_path" in vars(Consumer)
    assert Store.offset_key == b"__faust\0offset__"


def test_the_produce_request_and_the_batch_are_as_they_were_read() -> None:
    assert list(inspect.signature(ProduceRequest).parameters) == [
        "transactional_id",
        "required_acks",
        "timeout",
        "topics",
    ]
    partition = ProduceResponse_v7.SCHEMA.fields[0].array_of.fields[1].array_of
    assert list(partition.names[:3]) == ["partition", "error_code", "offset"]
    batch = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=0,
        is_transactional=0,
        producer_id=7,
        producer_epoch=3,
        base_sequence=5,
        batch_size=100,
    )
    assert batch.append(0, timestamp=1, key=b"k", value=b"v" * 1_000, headers=[]) is not None
