import re
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from schemas.lock import Lock
from topics import schemas
from topics.credentials import Role, make
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
    for name in (
        "PORT_BASE",
        "KAFKA",
        "POSTGRES",
        "REDIS",
        "ELASTICSEARCH",
        "PAYMENT_PROVIDER",
        "HOST",
        "EXPOSE",
    ):
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


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "shop.example"])
def test_other_machines_reach_the_platform_only_where_that_is_allowed(
    clean: pytest.MonkeyPatch, host: str
) -> None:
    clean.setenv("ECOMMERCE_HOST", host)
    with pytest.raises(ValidationError, match="ECOMMERCE_EXPOSE=true"):
        Settings()
    clean.setenv("ECOMMERCE_EXPOSE", "true")
    assert Settings().server_host == "127.0.0.1"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_loopback_needs_no_permission(clean: pytest.MonkeyPatch, host: str) -> None:
    clean.setenv("ECOMMERCE_HOST", host)
    assert Settings().server_host == host


def test_each_role_has_an_address_of_its_own(clean: pytest.MonkeyPatch, tmp_path: Path) -> None:
    clean.setenv("ECOMMERCE_DATA_DIR", str(tmp_path))
    made, _ = make(Settings().credentials_file)
    for role in Role:
        chosen = Settings().logged_in_as(role)
        assert f"//{role}:{made.postgres[role]}@" in chosen.postgres_dsn
        assert made.postgres[role] not in repr(chosen)
    assert f"//ecommerce:{made.redis}@" in Settings().redis_url
    assert Settings().provider_key == made.payment_provider


@pytest.mark.usefixtures("clean")
def test_a_foreign_provider_never_gets_the_key_of_ours(tmp_path: Path) -> None:
    make(tmp_path / "credentials.json")
    assert Settings(data_dir=tmp_path, payment_provider="https://pay.example").provider_key is None
    own = Settings(
        data_dir=tmp_path, payment_provider="https://pay.example", payment_provider_key=SecretStr("k" * 16)
    )
    assert own.provider_key == "k" * 16
    assert "kkkk" not in repr(own)
