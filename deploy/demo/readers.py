"""Who must have read what before a replay is done: every consumer group that runs, from the declarations."""

from collections import defaultdict

from deploy.demo.settle import Readers
from deploy.topology.gather import running
from topics.settings import Settings


def readers(settings: Settings) -> Readers:
    """Return the topics that each consumer group reads under these settings."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for component in running(settings):
        if component.group:
            found[component.group].update(component.consumes)
    return found
