"""`ecommerce views`: rebuild, verify, drop-old."""

import asyncio
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Annotated, Any, TypeVar

import asyncpg
import msgspec
import typer
from aiokafka.errors import KafkaError
from confluent_kafka import KafkaException
from elastic_transport import TransportError
from elasticsearch import ApiError
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.prompt import Confirm
from rich.text import Text
from sqlalchemy.exc import SQLAlchemyError

from connectors.archive.store import FAILURES
from deploy.broker import broker
from deploy.errors import CommandError
from deploy.output import JsonOption, console, notes, print_json
from deploy.views import report
from deploy.views.quiet import warnings_only
from sinks import rebuild as rebuilding
from sinks.verify.findings import Findings
from sinks.verify.reading import Tell
from sinks.verify.sides import Unreadable
from sinks.verify.spans import spans
from sinks.verify.verify import Verification
from sinks.views import Choice, Server, choose, names
from topics.credentials import Role
from topics.settings import Settings, settings

app = typer.Typer(
    no_args_is_help=True, help="Rebuild views from the topics, and compare them with the topics."
)

T = TypeVar("T")

_LOST = (
    Unreadable,
    KafkaError,
    KafkaException,
    ApiError,
    TransportError,
    SQLAlchemyError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    *FAILURES,
)

Archive = Annotated[
    str | None,
    typer.Option(
        help="Archive to read where retention has removed a topic's beginning.", envvar="ECOMMERCE_ARCHIVE"
    ),
]
Name = Annotated[str, typer.Argument(help=f"Which views: {', '.join(names())}.", show_default=False)]


@app.command()
def rebuild(
    name: Name,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Swap whatever differs, without asking.")] = False,
    only_if_equal: Annotated[
        bool, typer.Option("--only-if-equal", help="Swap only where nothing differs; else exit 1.")
    ] = False,
    drop: Annotated[bool, typer.Option("--drop-old", help="Do not keep the old ones.")] = False,
    archive: Archive = None,
    as_json: JsonOption = False,
) -> None:
    """Fill new views from the start of the topics, beside the live ones; compare, and swap them in.

    The live ones go on serving meanwhile. What differs may be the reason for the rebuild: it is shown, and
    asked about; without a terminal and without --yes nothing that differs is swapped, and the exit code is 1.
    The old ones are kept until `ecommerce views drop-old`.
    """
    chosen = _chosen(name)

    def decide(findings: Findings) -> bool:
        _show(findings, as_json=as_json)
        if yes or (findings.equal and not findings.removed):
            return True
        if only_if_equal or as_json or not notes().is_terminal:
            return False
        bar.stop()
        return Confirm.ask("swap nevertheless?", console=notes(), default=False)

    started = time.monotonic()
    with broker(settings()), _progress(settings(), chosen, "rebuilding") as (bar, tell):
        done = _run(rebuilding.rebuild(settings(), chosen, decide, archive=archive, tell=tell))
        if drop and done.swapped:
            _run(rebuilding.drop_old(settings(), chosen))
    seconds = time.monotonic() - started
    if as_json:
        print_json(
            {
                "view": name,
                "records": done.records,
                "seconds": round(seconds, 3),
                "swapped": done.swapped,
                "resumed": done.resumed,
                "old": [] if drop else done.old,
                **_figures(done.findings),
            }
        )
    elif done.swapped:
        rate = done.records / max(seconds, 1e-9)
        what = "completed, which was interrupted behind its swap," if done.resumed else "rebuilt"
        console().print(
            f"{name} {what} from {done.records:,} records in {seconds:.1f} s ({rate:,.0f} records/s)"
        )
        if done.old and not drop:
            console().print(f"kept: {', '.join(done.old)}, until `ecommerce views drop-old {name}`")
    else:
        console().print(Text.assemble(("not swapped: ", "yellow"), report.way(done.findings)), soft_wrap=True)
    if not done.swapped:
        raise typer.Exit(1)


@app.command()
def verify(
    name: Annotated[str | None, typer.Argument(help="Which views; all where none is named.")] = None,
    *,
    archive: Archive = None,
    as_json: JsonOption = False,
) -> None:
    """Compare every view with the final state of its topics; exit 1 where one differs.

    What the sinks have yet to read is behind, not different; what they could not write is a dead letter.
    Memory is bounded: what the topics say lies on disk meanwhile, one digest a key.
    """
    started = time.monotonic()
    found: list[Findings] = []
    reader = settings().logged_in_as(Role.READER)
    with broker(reader):
        for each in [name] if name else _all(reader):
            chosen = _chosen(each)
            with _progress(reader, chosen, "verifying") as (_, tell):
                found.append(_run(Verification(reader, chosen, archive, tell).run()))
            _show(found[-1], as_json=as_json)
    seconds = time.monotonic() - started
    if as_json:
        print_json(
            {"seconds": round(seconds, 3), "views": [{"view": one.name, **_figures(one)} for one in found]}
        )
    elif all(one.equal for one in found):
        records = sum(one.records for one in found)
        console().print(f"[green]no difference[/green] in {records:,} records, {seconds:.1f} s")
    if not all(one.equal for one in found):
        raise typer.Exit(1)


@app.command(name="drop-old")
def drop_old(name: Name, *, as_json: JsonOption = False) -> None:
    """Drop what a rebuild has kept of the views that it replaced."""
    dropped = _run(rebuilding.drop_old(settings(), _chosen(name)))
    if as_json:
        print_json({"view": name, "dropped": dropped})
    else:
        console().print(f"dropped: {', '.join(dropped)}" if dropped else "nothing was kept")


def _all(chosen: Settings) -> list[str]:
    return [server for server in Server if server is not Server.ELASTICSEARCH or chosen.elasticsearch]


def _chosen(name: str) -> Choice:
    try:
        return choose(name)
    except LookupError as error:
        raise CommandError(str(error), 2) from error


def _show(findings: Findings, *, as_json: bool) -> None:
    # Beside the JSON nothing else stands on stdout.
    to = notes() if as_json else console()
    to.print(report.table(findings))
    for line in report.lines(findings):
        to.print(line, soft_wrap=True)


def _figures(findings: Findings) -> dict[str, Any]:
    figures: dict[str, Any] = msgspec.to_builtins(findings)
    del figures["name"], figures["records"]
    return {**figures, "equal": findings.equal}


def _run(work: Coroutine[Any, Any, T]) -> T:
    try:
        with warnings_only():
            return asyncio.run(work)
    except rebuilding.OldKeptError as error:
        raise CommandError(
            f"an earlier rebuild has kept {error}: `ecommerce views drop-old` first", 2
        ) from error
    except rebuilding.BusyError as error:
        raise CommandError(str(error)) from error
    except _LOST as error:
        raise CommandError(str(error).strip().partition("\n")[0]) from error


@contextmanager
def _progress(chosen: Settings, choice: Choice, doing: str) -> Iterator[tuple[Progress, Tell]]:
    there = _run(spans(chosen, choice.topics))
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=notes(),
        transient=True,
        disable=not notes().is_terminal,
    )
    total = sum(there.ends.values()) - sum(there.starts.values())
    with bar:
        task = bar.add_task(f"{doing} {choice.name}", total=total)
        yield bar, lambda more: bar.advance(task, more)
