"""`ecommerce docs`: the generated documents."""

import typer

from deploy.docs import documents
from deploy.output import JsonOption, console, print_json

app = typer.Typer(no_args_is_help=True, help="Generate and check the generated docs.")


@app.command()
def generate(*, as_json: JsonOption = False) -> None:
    """Write the documents that are generated from the code's declarations."""
    written = documents.generate()
    if as_json:
        print_json({"written": written})
        return
    for name in written:
        console().print(f"[green]written[/green] docs/{name}")
    if not written:
        console().print("every document is current")


@app.command()
def check(*, as_json: JsonOption = False) -> None:
    """Name the documents that are stale; exit 1 where there is one."""
    found = sorted(documents.stale())
    if as_json:
        print_json({"documents": len(documents.DOCUMENTS), "stale": found})
    else:
        for name in found:
            console().print(f"[red]stale[/red] docs/{name}: run `ecommerce docs generate`")
        if not found:
            console().print(f"[green]{len(documents.DOCUMENTS)} documents are current[/green]")
    if found:
        raise typer.Exit(1)
