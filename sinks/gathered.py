"""All views of the platform, gathered from the domains and from the dead letters, which are of no domain."""

from collections.abc import Collection, Iterable, Sequence
from itertools import chain
from typing import Any, TypeVar

from connectors.runtime.projection import AnyProjection
from schemas.domains import Domain, ManifestError, Room, declared_in, no_strays, of_room
from sinks.dead_letters.views import VIEWS as DEAD_LETTERS
from sinks.declaration import DomainViews
from topics.registry import DEAD_LETTERS as LETTERS
from topics.registry import TOPICS

R = TypeVar("R")

_APART = ("dead_letters", "migrations", "rebuild", "search", "verify")


def gathered(domains: Collection[Domain]) -> list[DomainViews]:
    """Return the views of the domains.

    Raises ManifestError where a domain has none, and where `sinks` has a folder of no domain.
    """
    no_strays("sinks", [domain.name for domain in domains], _APART)
    return [views for domain in domains for views in declared_in(f"sinks.{domain.name}", DomainViews)]


def fed(server: str, views: Iterable[Sequence[AnyProjection[R]]], targets: Iterable[str]) -> tuple[Any, ...]:
    """Return the projections into a server's views.

    Raises ManifestError where a topic is of no domain or feeds the server twice, and where a view that is
    declared is fed by nothing, or one that is fed is not declared.
    """
    projections = tuple(chain.from_iterable(views))
    topics = [each.topic.name for each in projections]
    known = TOPICS.keys() | {letters.name for letters in LETTERS.values()}
    for topic in topics:
        if topic not in known:
            raise ManifestError(f"sinks: {topic} feeds {server}, and is in topics/ of no domain")
        if topics.count(topic) > 1:
            raise ManifestError(
                f"sinks: {topic} feeds {server} twice: one projection has to make all its rows"
            )
    fed_by = {target for each in projections for target in each.into}
    for target in fed_by.symmetric_difference(targets):
        wrong = "is fed, and declared nowhere" if target in fed_by else "is fed by nothing"
        raise ManifestError(f"sinks: {target} of {server} {wrong}")
    return projections


VIEWS = (*gathered(of_room(Room.SINKS)), DEAD_LETTERS)
