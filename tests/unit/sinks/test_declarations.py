"""The declarations of the views hold together."""

from dataclasses import replace
from typing import Any

import pytest

from connectors.runtime.projection import AnyProjection, Projection
from schemas.domains import Domain, ManifestError, Room, of_room
from sinks import elasticsearch, postgres, redis
from sinks.gathered import fed, gathered
from topics import cart as t
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


def test_a_domain_without_its_views_is_named() -> None:
    with pytest.raises(ManifestError, match="sinks/user has no module that declares a DomainViews"):
        gathered([*of_room(Room.SINKS), Domain("user")])
    with pytest.raises(ManifestError, match="sinks/cart is of no domain"):
        gathered([each for each in of_room(Room.SINKS) if each.name != "cart"])


def test_what_is_declared_and_what_is_fed_have_to_agree() -> None:
    add: Projection[Any, Any] = Projection(t.CART_UPDATED, lambda _: (), ("carts",))
    assert fed("X", [(add,)], ["carts"]) == (add,)
    with pytest.raises(ManifestError, match=r"carts of X is fed, and declared nowhere"):
        fed("X", [(add,)], [])
    with pytest.raises(ManifestError, match="orders of X is fed by nothing"):
        fed("X", [(add,)], ["carts", "orders"])
    with pytest.raises(ManifestError, match=r"ecommerce\.cart\.updated feeds X twice"):
        fed("X", [(add,), (add,)], ["carts"])
    stray = replace(t.CART_UPDATED, name="ecommerce.gift.updated")
    with pytest.raises(ManifestError, match=r"ecommerce\.gift\.updated .* of no domain"):
        fed("X", [(replace(add, topic=stray),)], ["carts"])


def test_every_dead_letter_is_seen() -> None:
    assert {each.name for each in DEAD_LETTERS.values()} <= {each.topic.name for each in postgres.PROJECTIONS}
