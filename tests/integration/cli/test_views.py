import psycopg
import pytest

from tests.integration.cli.conftest import Ecommerce
from topics.connection import KafkaOptions
from topics.settings import Settings

BY_HAND = "INSERT INTO stock_levels VALUES ('typed by hand', 1, 0, 1, 1, 0, 1, 1, now())"
STOCK = "SELECT count(*) FROM stock_levels WHERE sku = 'typed by hand'"


@pytest.fixture
def migrated(ecommerce: Ecommerce, settings: Settings, postgres: str) -> str:
    assert settings.postgres_dsn == postgres
    done = ecommerce("migrate")
    assert done.code == 0, done.err
    return postgres


def asked(dsn: str, query: str) -> int:
    with psycopg.connect(dsn, autocommit=True) as database:
        found = database.execute(query.encode()).fetchone()
    assert found is not None
    return int(found[0])


@pytest.mark.usefixtures("topics_created")
def test_a_view_is_rebuilt_and_its_old_one_kept_until_told(ecommerce: Ecommerce, migrated: str) -> None:
    with psycopg.connect(migrated, autocommit=True) as database:
        database.execute(BY_HAND)
    refused = ecommerce("views", "rebuild", "stock_levels", "--json", "--only-if-equal")
    assert (refused.code, refused.json["swapped"]) == (1, False), refused.err
    # Other tests' stock is in the topics, and not in this database.
    kinds = [each["kind"] for each in refused.json["differences"]]
    assert kinds.count("extra") == 1
    assert set(kinds) <= {"extra", "missing"}
    assert "typed by hand" in refused.err
    assert asked(migrated, STOCK) == 1

    done = ecommerce("views", "rebuild", "stock_levels", "--json", "--yes")
    assert done.code == 0, done.err
    assert len(done.out.splitlines()) == 1, "what is logged stands elsewhere"
    assert (done.json["view"], done.json["swapped"], done.json["old"]) == (
        "stock_levels",
        True,
        ["stock_levels"],
    )
    assert asked(migrated, STOCK) == 0
    assert asked(migrated, STOCK.replace("stock_levels", "retired.stock_levels")) == 1

    again = ecommerce("views", "rebuild", "stock_levels", "--yes")
    assert again.code == 2
    assert "drop-old" in again.err
    assert ecommerce("views", "drop-old", "stock_levels", "--json").json["dropped"] == ["stock_levels"]
    assert "nothing was kept" in ecommerce("views", "drop-old", "stock_levels").out
    shown = ecommerce("views", "rebuild", "stock_levels", "--yes", "--drop-old")
    assert "records/s" in shown.out
    assert "nothing was kept" in ecommerce("views", "drop-old", "stock_levels").out


@pytest.mark.usefixtures("topics_created")
def test_what_differs_from_the_topics_is_named(ecommerce: Ecommerce, migrated: str) -> None:
    assert ecommerce("views", "rebuild", "stock_levels", "--yes").code == 0
    same = ecommerce("views", "verify", "stock_levels")
    assert same.code == 0, same.out
    assert "no difference" in same.out
    with psycopg.connect(migrated, autocommit=True) as database:
        database.execute(BY_HAND)
    found = ecommerce("views", "verify", "stock_levels", "--json")
    assert found.code == 1
    (view,) = found.json["views"]
    assert view["differences"] == [{"view": "stock_levels", "key": "typed by hand", "kind": "extra"}]
    assert not view["equal"]
    assert "extra stock_levels: typed by hand" in ecommerce("views", "verify", "stock_levels").out
    ecommerce("views", "drop-old", "stock_levels")
    kept = ecommerce("views", "rebuild", "stock_levels")
    assert kept.code == 1
    assert "`ecommerce views rebuild stock_levels --yes` puts the new ones in their place" in kept.out


def test_says_what_is_missing(
    ecommerce: Ecommerce, monkeypatch: pytest.MonkeyPatch, topics_created: KafkaOptions
) -> None:
    assert topics_created
    monkeypatch.delenv("ECOMMERCE_ELASTICSEARCH", raising=False)
    assert "ECOMMERCE_ELASTICSEARCH is not set" in ecommerce("views", "rebuild", "elasticsearch").err
    unknown = ecommerce("views", "verify", "customers")
    assert (unknown.code, "there is no view customers" in unknown.err) == (2, True)
    monkeypatch.setenv("ECOMMERCE_POSTGRES", "postgresql://nobody@127.0.0.1:1/none")
    away = ecommerce("views", "verify", "orders")
    assert (away.code, len(away.err.splitlines())) == (1, 1)
    migrated = ecommerce("migrate")
    assert migrated.code == 1
    assert migrated.err.startswith("error: PostgreSQL does not answer: ")
    assert len(migrated.err.splitlines()) == 1
