"""docs/cli.md: the command line, from the commands themselves."""

import re

import typer
from typer.cli import get_docs_for_click
from typer.core import TyperGroup

from deploy.cli import COMMANDS, group
from deploy.docs.markdown import GENERATED

_ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


def cli_page() -> str:
    """Return the page, every command loaded."""
    empty = group()
    full = TyperGroup(
        name=empty.name,
        help=empty.help,
        commands={str(command.name): command.load() for command in COMMANDS},
    )
    context = typer.Context(full, info_name="ecommerce")
    text = get_docs_for_click(obj=full, ctx=context, name="ecommerce", title="Command line")
    body = _ESCAPES.sub("", text).removeprefix("# Command line\n\n")
    return f"# Command line\n\n{GENERATED}\n\n{body.strip()}\n"
