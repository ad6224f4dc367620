import subprocess
import sys
from typing import Annotated

import pytest
import typer
from pydantic_settings import BaseSettings, SettingsConfigDict
from typer.core import TyperCommand, TyperGroup

from deploy import cli
from deploy.errors import CommandError
from deploy.lazy import LazyCommand
from topics.settings import settings

app = typer.Typer()


@app.command()
def first(*, loud: Annotated[bool, typer.Option("--loud")] = False) -> None:
    typer.echo("FIRST" if loud else "first")


@app.command()
def second() -> None:
    raise CommandError("no [such] thing", 7)


def alone() -> None:
    raise KeyboardInterrupt


MOUNTED = {
    "first": "app",
    "second": "app",
    "both": "app",
    "alone": "alone",
    "misconfigured": "misconfigured",
}


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int | str | None:
    commands = tuple(
        LazyCommand(name, f"{__name__}:{attribute}", "What it does.", "Panel")
        for name, attribute in (
            ("first", "app"),
            ("second", "app"),
            ("alone", "alone"),
            ("misconfigured", "misconfigured"),
            ("both", "app"),
        )
    )
    monkeypatch.setattr(cli, "COMMANDS", commands)
    monkeypatch.setattr(sys, "argv", ["ecommerce", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return ended.value.code


def test_runs_a_command_of_a_rooms_app(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "first", "--loud") == 0
    assert capsys.readouterr().out == "FIRST\n"


def test_mounts_an_app_that_has_no_command_of_that_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "both", "first") == 0
    assert capsys.readouterr().out == "first\n"


def test_says_no_in_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, "second") == 7
    assert capsys.readouterr().err == "error: no [such] thing\n"


def test_ctrl_c_ends_with_130(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, "alone") == 130


def test_suggests_a_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, "frist") == 2
    assert "Did you mean 'first'?" in capsys.readouterr().err


class ExampleSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="ECOMMERCE_EXAMPLE_")

    size: int = 1


def misconfigured() -> None:
    ExampleSettings()


def test_names_a_setting_of_a_room(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ECOMMERCE_EXAMPLE_SIZE", "big")
    assert run(monkeypatch, "misconfigured") == 2
    assert capsys.readouterr().err.startswith(
        "error: setting ECOMMERCE_EXAMPLE_SIZE: Input should be a valid"
    )


def test_names_a_setting_that_is_wrong(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.cache_clear()
    monkeypatch.setenv("ECOMMERCE_PORT_BASE", "80")
    monkeypatch.setattr(sys, "argv", ["ecommerce", "topics", "list"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith(
        "error: setting ECOMMERCE_PORT_BASE: Input should be greater than or equal to 1024"
    )


def test_help_imports_no_room() -> None:
    code = (
        "import sys; sys.argv = ['ecommerce', '--help']\n"
        "from deploy.cli import main\n"
        "try: main()\n"
        "finally: print([n for n in sys.modules if n.split('.')[0] in ('streams', 'api', 'sinks', 'faust')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("command", cli.COMMANDS, ids=lambda command: str(command.name))
def test_every_command_loads_under_its_name(command: LazyCommand) -> None:
    loaded = command.load()
    assert isinstance(loaded, TyperCommand | TyperGroup)
    assert loaded.name == command.name
    assert loaded.help
