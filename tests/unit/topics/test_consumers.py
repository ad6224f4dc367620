"""Consumers are made in one place, by kind; a kind's own options are not for callers to change."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer

from topics import consumers
from topics.settings import Settings

ROOT = Path(__file__).parents[3]
ROOMS = ("api", "connectors", "deploy", "schemas", "sinks", "streams", "tables", "topics")
MAKER = "topics/consumers.py"

CLIENTS = {"Consumer", "DeserializingConsumer", "AIOConsumer", "ShareConsumer", "AIOKafkaConsumer"}
# A connection to a coordinator that drops while one of these waits ends the process: `topics.groups` asks.
ABORTING = {
    "list_consumer_groups",
    "describe_consumer_groups",
    "list_consumer_group_offsets",
    "alter_consumer_group_offsets",
    "delete_consumer_groups",
}


def calls() -> Iterator[tuple[str, str]]:
    """Yield each call of the product by file and by the name that is called."""
    for room in ROOMS:
        for file in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Call):
                    name = node.func.attr if isinstance(node.func, ast.Attribute) else None
                    name = node.func.id if isinstance(node.func, ast.Name) else name
                    if name is not None:
                        yield file.relative_to(ROOT).as_posix(), name


def test_consumers_are_made_in_one_place() -> None:
    makers = {(file, name) for file, name in calls() if name in CLIENTS}
    assert makers == {(MAKER, "Consumer"), (MAKER, "AIOKafkaConsumer")}


def test_nobody_asks_for_groups_by_what_may_abort_the_process() -> None:
    assert not {(file, name) for file, name in calls() if name in ABORTING}


@pytest.mark.parametrize("tuning", [{"enable.auto.commit": True}, {"group.id": "another"}, {"log_level": 7}])
def test_what_a_kind_fixes_is_not_for_tuning(tuning: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="given twice"):
        consumers.reader(Settings(), "test", tuning=tuning)


def test_each_kind_is_taken_by_its_client(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    def noted(options: dict[str, object]) -> Consumer:
        made.append(options)
        return Consumer(options)

    monkeypatch.setattr(consumers, "Consumer", noted)
    consumers.member(
        Settings(), "group", "client", on_error=lambda _: None, tuning={"heartbeat.interval.ms": 1_000}
    ).close()
    consumers.reader(Settings(), "client", beyond="none", ends=True).close()
    assert [options["group.id"] for options in made] == ["group", "ecommerce.reader.client"]
    assert all(options["enable.auto.commit"] is False for options in made)
    assert made[1]["auto.offset.reset"] == "error"


async def test_aiokafka_s_kinds_are_taken_by_it() -> None:
    for each in (
        consumers.member_async(Settings(), "group", "client", tuning={"max_poll_records": 5}),
        consumers.reader_async(Settings(), "client", beyond="none"),
    ):
        assert each._enable_auto_commit is False
        await each.stop()
