"""`ecommerce schemas`: the message types against the committed schemas."""

import typer
from rich.table import Table

from deploy.errors import CommandError
from deploy.output import JsonOption, console, print_json
from schemas.lock import Lock, LockError
from topics.schemas import stale, violations
from topics.schemas import update as commit_schemas

app = typer.Typer(no_args_is_help=True, help="Check, list and commit the message schemas.")


def _lock() -> Lock:
    try:
        return Lock()
    except LockError as error:
        raise CommandError(str(error)) from error


@app.command()
def check(*, as_json: JsonOption = False) -> None:
    """Check that schemas and lock are current and BACKWARD_TRANSITIVE compatible; exit 1 where not."""
    lock = _lock()
    try:
        problems = [
            f"{topic.name}: its type differs from the newest committed schema (`ecommerce schemas update`)"
            for topic in stale(lock)
        ] + violations(lock)
    except LockError as error:
        problems = [str(error)]
    if as_json:
        print_json({"schemas": len(lock.entries), "problems": problems})
    else:
        for problem in problems:
            console().print(f"[red]{problem}[/red]", soft_wrap=True)
        if not problems:
            console().print(f"[green]{len(lock.entries)} schemas are current and compatible[/green]")
    if problems:
        raise typer.Exit(1)


@app.command(name="list")
def list_(*, as_json: JsonOption = False) -> None:
    """List the committed schemas: id, subject, version."""
    entries = _lock().entries
    if as_json:
        print_json({"schemas": [{"id": e.id, "subject": e.subject, "version": e.version} for e in entries]})
        return
    table = Table("id", "subject", "version")
    for entry in entries:
        table.add_row(str(entry.id), entry.subject, str(entry.version))
    console().print(table)


@app.command()
def update(*, as_json: JsonOption = False) -> None:
    """Commit a new version of every schema whose type changed; refuses an incompatible change."""
    try:
        added = commit_schemas(_lock())
    except (ValueError, LockError) as error:
        raise CommandError(str(error)) from error
    if as_json:
        print_json({"added": [{"id": e.id, "subject": e.subject, "version": e.version} for e in added]})
        return
    for entry in added:
        console().print(f"[green]added[/green] {entry.id} {entry.subject} v{entry.version}")
    if not added:
        console().print("every schema is current")
