"""`ecommerce api`: the API and the shop's pages."""

from api.run import run
from topics.settings import settings


def api() -> None:
    """Run the API, the shop and the ops page."""
    run(settings())
