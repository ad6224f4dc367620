"""`ecommerce topics`: the registry against the broker."""

import typer
from rich.table import Table

from deploy.broker import broker
from deploy.errors import CommandError
from deploy.output import JsonOption, console, print_json
from topics import admin
from topics.schema_topic import SchemaConflictError, SchemaSourceError
from topics.settings import settings
from topics.topic import Topic

app = typer.Typer(no_args_is_help=True, help="Create, verify and list the topics of the registry.")


@app.command()
def create(*, as_json: JsonOption = False) -> None:
    """Create the topics that are missing, and publish this release's schemas; what exists stays as it is."""
    with broker(settings()):
        try:
            created = admin.create(settings())
        except (admin.PartitionsChangedError, SchemaConflictError, SchemaSourceError) as error:
            raise CommandError(str(error)) from error
    total = len(admin.all_topics())
    if as_json:
        print_json({"created": created, "topics": total})
        return
    for name in created:
        console().print(f"[green]created[/green] {name}")
    console().print(f"{len(created)} created, {total - len(created)} were there")


@app.command()
def verify(*, as_json: JsonOption = False) -> None:
    """Name every difference in partitions, cleanup policy and retention; exit 1 where there is one."""
    with broker(settings()):
        differences = admin.verify(settings())
    total = len(admin.all_topics())
    if as_json:
        print_json({"topics": total, "differences": differences})
    else:
        for difference in differences:
            console().print(f"[red]differs[/red] {difference}", soft_wrap=True)
        if not differences:
            console().print(f"[green]{total} topics are as the registry says[/green]")
    if differences:
        raise typer.Exit(1)


@app.command(name="list")
def list_(*, as_json: JsonOption = False) -> None:
    """List the topics of the registry (needs no broker)."""
    rows = [
        {
            "topic": topic.name,
            "kind": topic.kind.value if isinstance(topic, Topic) else "raw",
            "key": topic.key if isinstance(topic, Topic) else None,
            "data": topic.data.__name__ if isinstance(topic, Topic) else None,
            "partitions": admin.partitions_of(topic, settings()),
            "cleanup": topic.cleanup.value,
            "retention_ms": topic.retention_ms,
        }
        for topic in admin.all_topics()
    ]
    if as_json:
        print_json({"topics": rows})
        return
    table = Table("topic", "kind", "key", "data", "partitions", "cleanup", "retention")
    for row in rows:
        days = int(str(row["retention_ms"])) // 86_400_000
        kept = "for ever" if int(str(row["retention_ms"])) < 0 else f"{days} d"
        table.add_row(
            str(row["topic"]),
            str(row["kind"]),
            str(row["key"] or "-"),
            str(row["data"] or "-"),
            str(row["partitions"]),
            str(row["cleanup"]),
            kept,
        )
    console().print(table)
