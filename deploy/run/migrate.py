"""`ecommerce migrate`: the views' schema."""

from rich.console import Console
from sqlalchemy.exc import OperationalError

from deploy.errors import CommandError
from sinks.migrate import migrate as bring_up_to_date
from topics.redaction import redacted
from topics.settings import settings


def migrate() -> None:
    """Bring the schema of the PostgreSQL views up to date."""
    try:
        bring_up_to_date(settings())
    except OperationalError as error:
        reason = redacted(str(error.orig).strip().splitlines()[0])
        raise CommandError(f"PostgreSQL does not answer: {reason}") from error
    Console().print("[green]views are up to date[/green]")
