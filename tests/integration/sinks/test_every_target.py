"""The behavioural suite, over every target."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch as Client

from sinks.migrate import migrate
from tests.integration.sinks.feed import Feed
from tests.integration.sinks.suite import SinkSuite
from tests.integration.sinks.targets import Archive, Elasticsearch, Postgres, RedisCarts, Target
from tests.integration.sinks.views import running
from tests.stack import Stack


class TestPostgres(SinkSuite):
    @pytest.fixture(scope="class")
    @classmethod
    def target(cls, stack: Stack) -> Target:
        dsn = stack.fresh_database()
        migrate(stack.settings.model_copy(update={"postgres": dsn}))
        return Postgres(stack, dsn)


class TestElasticsearch(SinkSuite):
    @pytest.fixture(scope="class")
    @classmethod
    def target(cls, stack: Stack) -> Iterator[Target]:
        url = stack.elasticsearch_url()
        made = Elasticsearch(url, f"test-{uuid.uuid4().hex}")
        yield made
        with Client(url) as client:
            client.indices.delete(index=made.index.first)
            client.indices.delete_index_template(name=made.index.alias)


class TestRedis(SinkSuite):
    @pytest.fixture(scope="class")
    @classmethod
    def target(cls, stack: Stack) -> Target:
        return RedisCarts(stack, stack.fresh_redis())


class TestArchive(SinkSuite):
    @pytest.fixture
    def target(self, tmp_path: Path) -> Target:
        return Archive(tmp_path / "archive")

    async def test_a_record_that_is_refused_is_a_dead_letter_alone(self, target: Target, feed: Feed) -> None:
        """It keeps what others refuse: any bytes."""
        keys = feed.keys(3)
        await feed.publish(keys, 1)
        await feed.publish_values([("text", b"not avro")])
        async with running(feed.connector()):
            await feed.caught_up()
        assert isinstance(target, Archive)
        assert b"not avro" in [record.value for record in target.records()]
        assert await feed.letters() == []
