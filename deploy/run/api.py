"""`ecommerce api`: the API and the shop's pages."""

from api.run import run
from deploy.dlq.desk import TopicDesk
from topics.schema_topic import other_releases
from topics.settings import settings


def api() -> None:
    """Run the API, the shop and the ops page."""
    with other_releases(settings()):
        run(settings(), desk=TopicDesk(settings()))
