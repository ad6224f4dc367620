import time
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType

from tests import kafka_elsewhere
from tests.eventually import eventually
from tests.integration.cli.conftest import Ecommerce
from topics.admin import all_topics
from topics.connection import KafkaOptions
from topics.registry import SERVICE_PING
from topics.settings import Settings

TRIED_ON_S = 30.0


@pytest.mark.usefixtures("topics_created")
def test_creates_what_is_missing_and_verifies(ecommerce: Ecommerce) -> None:
    assert ecommerce("topics", "create", "--json").json == {"created": [], "topics": len(all_topics())}
    verified = ecommerce("topics", "verify", "--json")
    assert (verified.code, verified.json["differences"]) == (0, [])


@pytest.mark.usefixtures("topics_created")
@pytest.mark.parametrize("command", [("topics", "create"), ("worker",), ("up",)])
def test_another_number_of_partitions_is_refused_and_the_way_named(
    ecommerce: Ecommerce,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    command: tuple[str, ...],
) -> None:
    for name, value in kafka_elsewhere.environment(settings).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("ECOMMERCE_PARTITIONS", "8")
    monkeypatch.setenv("ECOMMERCE_DATA_DIR", str(tmp_path / "other"))
    refused = ecommerce(*command)
    assert refused.code == 1
    assert "ECOMMERCE_PARTITIONS is 8" in refused.err
    assert f"set ECOMMERCE_PARTITIONS={settings.partitions}" in " ".join(refused.err.split())


@pytest.mark.usefixtures("topics_created")
@pytest.mark.parametrize(
    "command",
    [
        ("topics", "verify"),
        ("worker",),
        ("up",),
        ("status",),
        ("lag",),
        ("api",),
        ("sink",),
        ("payment-gateway",),
    ],
)
def test_a_wrong_password_is_said_at_once_and_not_shown(
    ecommerce: Ecommerce,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    command: tuple[str, ...],
) -> None:
    for name, value in kafka_elsewhere.environment(settings).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("ECOMMERCE_KAFKA_PASSWORD", "of-another-shop")
    monkeypatch.setenv("ECOMMERCE_DATA_DIR", str(tmp_path / "other"))
    began = time.monotonic()
    refused = ecommerce(*command)
    told = " ".join((refused.out + refused.err).split())
    assert refused.code == 1
    assert "does not let us in as 'ecommerce'" in told
    assert "ECOMMERCE_KAFKA_PASSWORD" in told
    assert "of-another-shop" not in told
    # Clients try on for a minute or for ever; the broker was asked for less than a second.
    assert time.monotonic() - began < TRIED_ON_S


def test_names_what_differs(ecommerce: Ecommerce, topics_created: KafkaOptions) -> None:
    admin = AdminClient(topics_created)

    def retain(milliseconds: str) -> None:
        entry = ConfigEntry("retention.ms", milliseconds, incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(ResourceType.TOPIC, SERVICE_PING.name, incremental_configs=[entry])
        for future in admin.incremental_alter_configs([resource]).values():
            future.result()

    retain("1000")
    try:
        eventually(lambda: ecommerce("topics", "verify").code == 1)
        differing = ecommerce("topics", "verify", "--json")
        assert differing.json["differences"] == [
            f"{SERVICE_PING.name}: retention.ms is 1000, must be {SERVICE_PING.retention_ms}"
        ]
        assert "retention.ms is 1000" in ecommerce("topics", "verify").out
    finally:
        retain(str(SERVICE_PING.retention_ms))


def test_lists_the_registry_without_a_broker(ecommerce: Ecommerce, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECOMMERCE_KAFKA", "127.0.0.1:1")
    listed = ecommerce("topics", "list", "--json").json["topics"]
    assert len(listed) == len(all_topics())
    assert SERVICE_PING.name in ecommerce("topics", "list").out


def test_schemas_are_current_and_listed(ecommerce: Ecommerce) -> None:
    checked = ecommerce("schemas", "check", "--json")
    assert (checked.code, checked.json["problems"]) == (0, [])
    listed = ecommerce("schemas", "list", "--json").json["schemas"]
    assert listed[0] == {"id": 1, "subject": "ecommerce.cart.add-value", "version": 1}
    assert ecommerce("schemas", "update", "--json").json == {"added": []}
