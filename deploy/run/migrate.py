"""`ecommerce migrate`: the views' schema."""

from rich.console import Console

from sinks.migrate import migrate as bring_up_to_date
from topics.settings import settings


def migrate() -> None:
    """Bring the schema of the PostgreSQL views up to date."""
    bring_up_to_date(settings())
    Console().print("[green]views are up to date[/green]")
