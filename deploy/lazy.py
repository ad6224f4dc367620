"""Commands that import their room only when they run, so that `ecommerce --help` and short ones are fast."""

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command


class LazyCommand(TyperCommand):
    """Stands in the list of commands for `target` (`module:attribute`), which it imports when it is invoked.

    The attribute is a function, a `typer.Typer`, or a `typer.Typer` that has a command of this name.
    """

    def __init__(self, name: str, target: str, summary: str, panel: str) -> None:
        super().__init__(name=name, callback=None, help=summary, rich_help_panel=panel)
        self.target = target

    def load(self) -> Any:
        """Import the target and return its command; raises `ImportError` or `AttributeError` where absent."""
        module, attribute = self.target.split(":")
        found = getattr(import_module(module), attribute)
        if not isinstance(found, typer.Typer):
            app = typer.Typer(add_completion=False, rich_markup_mode="rich")
            app.command(self.name)(found)
            found = app
        found._add_completion = False  # noqa: SLF001 -- completion belongs to the entry point alone
        command = get_command(found)
        name = str(self.name)
        if isinstance(command, TyperGroup) and name in command.commands:
            command = command.commands[name]
        command.name = name
        return command

    def make_context(self, info_name: Any, args: Any, parent: Any = None, **extra: Any) -> Any:
        """Hand over to the real command."""
        return self.load().make_context(info_name, args, parent=parent, **extra)
