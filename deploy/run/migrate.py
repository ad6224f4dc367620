"""`ecommerce migrate`: the schemas of views and accounts."""

from rich.console import Console
from sqlalchemy.exc import OperationalError

from api.auth.migrate import migrate as migrate_accounts
from deploy.errors import CommandError
from sinks.migrate import migrate as migrate_views
from topics.redaction import redacted
from topics.settings import Settings, settings


def bring_up_to_date(chosen: Settings) -> None:
    """Create or upgrade the views, then the accounts, which stood beside them once.

    Raises sqlalchemy.exc.OperationalError where no database answers.
    """
    migrate_views(chosen)
    migrate_accounts(chosen)


def migrate() -> None:
    """Bring PostgreSQL's schemas up to date: the views' and the accounts'."""
    try:
        bring_up_to_date(settings())
    except OperationalError as error:
        reason = redacted(str(error.orig).strip().splitlines()[0])
        raise CommandError(f"PostgreSQL does not answer: {reason}") from error
    Console().print("[green]views and accounts are up to date[/green]")
