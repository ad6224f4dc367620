"""What the API sends and what it listens to, gathered from the domains' `outcomes.py`."""

from collections.abc import Collection
from typing import Any

from api.expectation import Expectation
from schemas.domains import Domain, ManifestError, Room, declared, of_room, processes
from topics.registry import DEAD_LETTERS, TOPICS
from topics.service import SERVICE_PONG
from topics.topic import Kind, RawTopic, Topic


def gathered(domains: Collection[Domain]) -> dict[Topic[Any], Expectation]:
    """Return what ends each command that the API sends.

    Raises ManifestError where a domain does not say it, or says it of a command that is not its own or is
    only for flows, and where what is waited for is in no domain's topics.
    """
    found: dict[Topic[Any], Expectation] = {}
    for domain in domains:
        place = f"api/{domain.name}/outcomes.py"
        for topic, expectation in declared(f"api.{domain.name}.outcomes", "OUTCOMES", dict).items():
            if topic.domain != domain.name or topic.kind is not Kind.COMMAND or topic.inner:
                raise ManifestError(f"{place}: {topic.name} is no command of {domain.name} for those outside")
            for each in (topic, *expectation.topics):
                if TOPICS.get(each.name) is not each:
                    raise ManifestError(f"{place}: {each.name} is in topics/ of no domain")
            found[topic] = expectation
    return found


_OUTCOMES = gathered(of_room(Room.API))

OF_COMMAND: dict[str, Expectation] = {topic.name: each for topic, each in _OUTCOMES.items()}
"""What ends each command, by the command's topic."""

LISTENED: tuple[Topic[Any], ...] = (
    *dict.fromkeys(topic for each in OF_COMMAND.values() for topic in each.topics),
    SERVICE_PONG,
)

LETTERS: tuple[RawTopic, ...] = tuple(
    DEAD_LETTERS[domain] for domain in sorted({topic.domain for topic in _OUTCOMES})
)
"""Where the dataflow puts commands that it could not carry out; sinks' letters are of what was."""

READS: dict[str, tuple[str, ...]] = {
    "ecommerce.streams": tuple(OF_COMMAND),
    **{process.group: process.reads for process in processes() if process.group},
}
"""The commands that wait for each consumer group, also where it has never read any of them."""
