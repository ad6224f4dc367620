"""The registry: every topic of the platform, gathered from the domains' modules.

No topic's name is written anywhere but in `topics/<domain>.py`. Events are kept for ever, because views are
rebuilt from them; commands and timers for a week.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from schemas.domains import DOMAINS, Domain, ManifestError, all_declared
from topics.cart import *  # noqa: F403
from topics.checkout import *  # noqa: F403
from topics.inventory import *  # noqa: F403
from topics.order import *  # noqa: F403
from topics.payment import *  # noqa: F403
from topics.product import *  # noqa: F403
from topics.service import *  # noqa: F403
from topics.topic import WEEK as WEEK  # noqa: PLC0414 - named here until its users name topics.topic
from topics.topic import Cleanup, Kind, RawTopic, Topic, changelog, dead_letters
from topics.user import *  # noqa: F403


def gathered(domains: Iterable[Domain]) -> Iterator[Topic[msgspec.Struct]]:
    """Yield the topics that the domains declare.

    Raises ManifestError where a domain has no module or no topic, and where a topic is not its domain's.
    """
    for domain in domains:
        found = all_declared(f"topics.{domain.name}", Topic)
        if not found:
            raise ManifestError(f"topics/{domain.name}.py declares no topic")
        for name, topic in found.items():
            if topic.domain != domain.name:
                raise ManifestError(
                    f"topics/{domain.name}.py: {name} is called {topic.name}, not ecommerce.{domain.name}.*"
                )
            yield topic


TOPICS: dict[str, Topic[msgspec.Struct]] = {topic.name: topic for topic in gathered(DOMAINS)}

INNER_COMMANDS: frozenset[Topic[Any]] = frozenset(
    topic for topic in TOPICS.values() if topic.kind is Kind.COMMAND and topic.inner
)
"""Commands that only flows give, to each other: nobody outside may give them."""

_READERS = ("import", "sink")
"""What buries records that are of no domain's flow: the reader of a retailer's file, and the sinks."""

DEAD_LETTERS: dict[str, RawTopic] = {
    name: dead_letters(name) for name in sorted((*(domain.name for domain in DOMAINS), *_READERS))
}

# What became of dead letters that were sent again, by the letter's id.
REDRIVES = RawTopic("ecommerce.service.redrives", cleanup=Cleanup.COMPACT, partitions=1)

# Records that somebody has told a consumer to leave, by consumer and place.
SKIPS = RawTopic("ecommerce.service.skips", cleanup=Cleanup.COMPACT, partitions=1)

# The schemas that any release has written with, by their ids.
SCHEMAS = RawTopic("ecommerce.service.schemas", cleanup=Cleanup.COMPACT, partitions=1)

CHANGELOGS: dict[str, RawTopic] = {flow: changelog(flow) for domain in DOMAINS for flow in domain.flows}
