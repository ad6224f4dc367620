"""`ecommerce outbox`: the accounts' events, from PostgreSQL to their topics."""

from connectors.outbox.run import run
from topics.credentials import Role
from topics.login import refuse_wrong_login
from topics.settings import settings


def outbox() -> None:
    """Publish what the accounts' outbox holds, as it is written."""
    refuse_wrong_login(settings())
    run(settings().logged_in_as(Role.OUTBOX))
