"""The broker: topics as declared, everything read, nothing moving while we looked."""

from deploy.doctor.check import Breaches, Check
from deploy.doctor.facts import Facts


def lag(facts: Facts) -> Breaches:
    """Name every partition that a group has not read to its end."""
    for place, records in facts.lag.items():
        if records:
            yield place, f"{records} records are not read yet"


def positions(facts: Facts) -> Breaches:
    """Name every group that stands beyond its topic's end, or in a topic that was made anew since."""
    yield from facts.faults.items()


def rest(facts: Facts) -> Breaches:
    """Name topics that grew while they were read: the pictures would be of different moments."""
    for topic in facts.moving:
        yield topic, "received records while the doctor looked: look again when nothing is under way"


def topics(facts: Facts) -> Breaches:
    """Name where the broker's topics differ from the registry."""
    for difference in facts.topic_differences:
        name, _, detail = difference.partition(": ")
        yield name, detail


CHECKS = (
    Check("lag", "every consumer has read everything", lambda facts: facts.partitions, lag),
    Check(
        "positions",
        "what consumers have committed are positions in the topics as they are",
        lambda facts: facts.partitions,
        positions,
    ),
    Check("rest", "nothing moved while the doctor looked", lambda facts: facts.topics, rest),
    Check("topics", "the broker's topics are as declared", lambda facts: facts.topics, topics),
)
