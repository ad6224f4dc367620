import psycopg
import pytest

from tests.integration.cli.conftest import Ecommerce
from topics.settings import Settings


@pytest.fixture
def migrated(ecommerce: Ecommerce, settings: Settings, postgres: str) -> str:
    assert settings.postgres_dsn == postgres
    done = ecommerce("migrate")
    assert done.code == 0, done.err
    return postgres


@pytest.mark.usefixtures("topics_created")
def test_rebuilds_a_view_from_the_topics(ecommerce: Ecommerce, migrated: str) -> None:
    with psycopg.connect(migrated, autocommit=True) as database:
        database.execute(
            "INSERT INTO stock_levels VALUES ('typed by hand', 1, 0, 1, 1, 0, 1, 1, now())",
        )
    done = ecommerce("rebuild", "postgres", "--json")
    assert done.code == 0, done.err
    assert done.json["view"] == "postgres"
    with psycopg.connect(migrated) as database:
        left = database.execute("SELECT 1 FROM stock_levels WHERE sku = 'typed by hand'").fetchall()
    assert left == []


def test_says_what_is_missing(ecommerce: Ecommerce, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ECOMMERCE_ELASTICSEARCH", raising=False)
    assert "ECOMMERCE_ELASTICSEARCH is not set" in ecommerce("rebuild", "elasticsearch").err
    monkeypatch.setenv("ECOMMERCE_POSTGRES", "postgresql://nobody@127.0.0.1:1/none")
    migrated = ecommerce("migrate")
    assert migrated.code == 1
    assert migrated.err.startswith("error: PostgreSQL does not answer: ")
    assert len(migrated.err.splitlines()) == 1
