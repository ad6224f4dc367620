"""The declarations of the views hold together."""

import pytest

from connectors.runtime.projection import AnyProjection
from sinks import elasticsearch, postgres, redis
from sinks.elasticsearch import INDICES
from sinks.postgres import TABLES
from topics.registry import DEAD_LETTERS, TOPICS
from topics.topic import Kind

ALL: list[AnyProjection[object]] = [*postgres.PROJECTIONS, *redis.PROJECTIONS, *elasticsearch.PROJECTIONS]


@pytest.mark.parametrize("module", [postgres, redis, elasticsearch])
def test_a_topic_feeds_a_sink_once(module: object) -> None:
    names = [each.topic.name for each in module.PROJECTIONS]  # type: ignore[attr-defined] # one of three modules
    assert len(set(names)) == len(names)


def test_views_are_fed_by_events_that_are_kept_for_ever() -> None:
    for each in ALL:
        if each.topic.name in TOPICS:
            topic = TOPICS[each.topic.name]
            assert topic.kind is Kind.EVENT, topic.name
            assert topic.retention_ms == -1, topic.name


def test_every_table_and_index_is_fed() -> None:
    assert {name for each in postgres.PROJECTIONS for name in each.into} == {each.name for each in TABLES}
    assert {name for each in elasticsearch.PROJECTIONS for name in each.into} == {
        each.alias for each in INDICES
    }


def test_every_dead_letter_is_seen() -> None:
    assert {each.name for each in DEAD_LETTERS.values()} <= {each.topic.name for each in postgres.PROJECTIONS}
