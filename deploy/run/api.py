"""`ecommerce api`: the API and the shop's pages."""

from api.run import run
from deploy.dlq.desk import TopicDesk
from topics.credentials import Role
from topics.login import refuse_wrong_login
from topics.schema_topic import other_releases
from topics.settings import settings


def api() -> None:
    """Run the API, the shop and the ops page."""
    chosen = settings().logged_in_as(Role.API)
    refuse_wrong_login(chosen)
    with other_releases(chosen):
        run(chosen, desk=TopicDesk(chosen))
