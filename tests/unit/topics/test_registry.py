import re
from pathlib import Path

import pytest

from schemas.lock import Lock
from topics import schemas
from topics.registry import CHANGELOGS, DEAD_LETTERS, TOPICS, WEEK
from topics.settings import PortOffset, Settings
from topics.topic import Kind


def test_names_follow_the_rule() -> None:
    assert all(re.fullmatch(r"ecommerce\.[a-z]+\.[a-z_]+", name) for name in TOPICS)


def test_every_domain_has_its_dead_letters() -> None:
    assert {topic.domain for topic in TOPICS.values()} <= set(DEAD_LETTERS)
    assert all(topic.dead_letters == DEAD_LETTERS[topic.domain] for topic in TOPICS.values())


def test_views_can_be_rebuilt_from_events() -> None:
    passing = {
        "ecommerce.inventory.line_reserved",
        "ecommerce.inventory.line_rejected",
        "ecommerce.payment.outcome",
    }
    for topic in TOPICS.values():
        if topic.kind is Kind.EVENT and topic.name not in passing:
            assert topic.retention_ms == -1, topic.name
        elif topic.kind is Kind.COMMAND:
            assert topic.retention_ms == WEEK, topic.name


def test_changelogs_are_compacted() -> None:
    assert all(topic.cleanup == "compact" for topic in CHANGELOGS.values())


def test_committed_schemas_are_current_and_compatible() -> None:
    assert schemas.stale(Lock()) == []
    assert schemas.violations(Lock()) == []


def test_a_new_type_gets_a_version_once(tmp_path: Path) -> None:
    lock = Lock(tmp_path)
    assert len(schemas.update(lock)) == len(TOPICS)
    assert schemas.update(lock) == []


@pytest.fixture
def clean(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("PORT_BASE", "KAFKA", "POSTGRES", "REDIS", "ELASTICSEARCH", "PAYMENT_PROVIDER"):
        monkeypatch.delenv(f"ECOMMERCE_{name}", raising=False)
    return monkeypatch


def test_the_port_base_moves_every_port(clean: pytest.MonkeyPatch) -> None:
    clean.setenv("ECOMMERCE_PORT_BASE", "30000")
    moved = Settings()
    assert moved.kafka_bootstrap == "127.0.0.1:30000"
    assert ":30002/" in moved.postgres_dsn
    assert moved.port(PortOffset.WORKER_METRICS, 3) == 30013


def test_an_external_address_wins(clean: pytest.MonkeyPatch) -> None:
    clean.setenv("ECOMMERCE_KAFKA", "kafka.example:9092")
    assert Settings().kafka_bootstrap == "kafka.example:9092"
