"""`ecommerce sink`: the connectors that keep the views."""

from sinks.run import run
from topics.credentials import Role
from topics.login import refuse_wrong_login
from topics.schema_topic import other_releases
from topics.settings import settings


def sink() -> None:
    """Run the sinks: topics into PostgreSQL, Redis and, where it is configured, Elasticsearch."""
    chosen = settings().logged_in_as(Role.SINK)
    refuse_wrong_login(chosen)
    with other_releases(chosen):
        run(chosen)
