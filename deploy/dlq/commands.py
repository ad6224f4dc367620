"""`ecommerce dlq`: dead letters."""

from collections import Counter
from collections.abc import Iterator
from getpass import getuser
from pathlib import Path
from typing import Annotated, Any

import typer
from click import edit as open_editor
from rich.table import Table

from deploy.broker import broker
from deploy.dlq.edit import editable, mended
from deploy.dlq.grouped import Group, grouped
from deploy.dlq.letter import Letter, Standing, causes, consumers, matches
from deploy.dlq.redrive import Outcome, load
from deploy.dlq.redrive import discard as give_up
from deploy.dlq.redrive import redrive as send_again
from deploy.dlq.skipping import consumer_of, place_of
from deploy.dlq.skipping import skip as leave
from deploy.errors import CommandError
from deploy.output import JsonOption, console, print_json, shown
from deploy.tap.decoding import decode
from deploy.tap.text import Pretty, moment
from deploy.topology.gather import running
from topics.settings import settings

app = typer.Typer(
    no_args_is_help=True,
    help="List, show, edit, redrive and discard dead letters; skip a record that stops its reader.",
)

Domain = Annotated[str | None, typer.Argument(help="One domain: cart, order, sink ...; all by default.")]
Reason = Annotated[str | None, typer.Option(help="Only this reason; wildcards allowed.")]
Ids = Annotated[list[str] | None, typer.Option("--id", help="Only this id or its beginning; repeatable.")]


@app.command(name="list")
def list_(
    domain: Domain = None,
    *,
    reason: Reason = None,
    every: Annotated[bool, typer.Option("--all", help="Also those that were redriven or discarded.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List what failed and why: the causes with a count; with a domain, a reason or `--all` each letter.

    Letters come oldest first. Rows of files that an importer refused on purpose come last.
    """
    letters = [one for one in _select(domain, reason, ()) if every or one.standing is Standing.WAITING]
    found = causes(letters)
    reasons = Counter(first.reason for first, *_ in found)
    if as_json:
        print_json(
            {"count": len(found), "by_reason": reasons, "letters": [_of_cause(each) for each in found]}
        )
        return
    if not found:
        console().print("[green]no dead letters[/green]")
        return
    if domain is None and reason is None and not every:
        _print_groups(grouped(found))
        return
    table = Table("id", "failed at", "source", "key", "consumer", "reason", "attempt", "error")
    for each in found:
        table.add_row(*(shown(cell) for cell in _cells(each)))
    console().print(table)
    counts = ", ".join(f"{count} {why}" for why, count in reasons.most_common())
    console().print(shown(f"{len(found)} dead letters: {counts}"))


@app.command()
def show(
    identity: Annotated[str, typer.Argument(metavar="ID", help="The letter's id or its beginning.")],
    *,
    as_json: JsonOption = False,
) -> None:
    """Show one dead letter whole: headers, stack, and the record's content as far as it can be read."""
    found = _one(identity)
    row = decode(found.record)
    if as_json:
        print_json({**_figures(found), "record": row})
        return
    Pretty(console()).write(found.record, row)
    if found.standing is not Standing.WAITING:
        assert found.mark is not None
        by = f" by {found.mark.by}" if found.mark.by else ""
        console().print(shown(f"was {found.standing}{by} {found.mark.note}", "yellow"), soft_wrap=True)


@app.command()
def edit(
    identity: Annotated[str, typer.Argument(metavar="ID", help="The letter's id or its beginning.")],
    *,
    file: Annotated[
        Path | None, typer.Option(help="Take the message from this file of JSON; default: $EDITOR.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Mend one dead letter's message and send it again; its key and its id stay.

    What is not a message of the topic is refused with the field and the rule, and nothing is sent.
    """
    found = _one(identity)
    before = editable(found)
    if before is None:
        raise CommandError(f"{identity}: came from {found.source}, which has no messages to edit", 2)
    text = _text_of(file) if file else open_editor(before, extension=".json")
    if text is None:
        raise CommandError(f"{identity}: nothing was changed, nothing is sent", 2)
    value = mended(found, text)
    if not yes:
        typer.confirm(f"send the edited record to {found.source_topic}?", abort=True, err=True)
    with broker(settings()):
        outcome = send_again(settings(), [found], _name(), {found.id: value})
    _tell(outcome, "sent again", "out", as_json=as_json)


@app.command()
def discard(
    ids: Annotated[list[str], typer.Option("--id", help="Only this id or its beginning; repeatable.")],
    *,
    because: Annotated[str, typer.Option(help="Why nobody needs it; kept with the letter.")],
    as_json: JsonOption = False,
) -> None:
    """Mark dead letters as not to be sent again; they stay in their topic, and `--all` lists them."""
    with broker(settings()):
        outcome = give_up(settings(), _named(tuple(ids)), _name(), because)
    _tell(outcome, "discarded", "discarded", as_json=as_json)


@app.command()
def skip(
    place: Annotated[
        str,
        typer.Argument(
            metavar="TOPIC/PARTITION[/OFFSET]",
            help="The record; of a flow, without an offset, the one at which it stands.",
        ),
    ],
    *,
    because: Annotated[str, typer.Option(help="Why it may be left; kept with its dead letter.")],
    consumer: Annotated[
        str | None,
        typer.Option(
            help="Who is to leave it: a flow, payment-gateway or a sink; the only reader by default."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Take a consumer past a record that stops its partition, whether it runs or is stopped.

    The record becomes a dead letter of reason `skipped`, which says who did it and why. All that comes after
    it is done as ever: whatever the record would have changed is not changed.
    """
    topic, _, _ = place_of(place)
    with broker(settings()):
        reader = consumer_of(running(settings()), topic, consumer)
        made = leave(settings(), place, reader, _name(), because)
    if as_json:
        print_json(made)
        return
    where = f"{made.topic}/{made.partition}/{made.offset}"
    said = f"{made.consumer} leaves {where}; see `ecommerce lag`, and `ecommerce dlq list --reason skipped`"
    console().print(shown(said), soft_wrap=True)


@app.command()
def redrive(
    domain: Domain = None,
    *,
    reason: Reason = None,
    ids: Ids = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Send dead letters again: the original bytes to their source topic, with the next attempt's number.

    None goes out twice, however often this runs.
    """
    asked = _named(tuple(ids), domain, reason) if ids else _select(domain, reason, ())
    letters = [one for one in asked if one.standing is Standing.WAITING]
    if letters and not yes:
        for (topic, why), count in Counter((one.source_topic, one.reason) for one in letters).items():
            console().print(shown(f"{count} x {why} -> {topic}"), soft_wrap=True)
        typer.confirm(f"send {len(letters)} records again?", abort=True, err=True)
    with broker(settings()):
        outcome = send_again(settings(), letters, _name())
    _tell(outcome, "sent again", "out", as_json=as_json)


def _print_groups(groups: list[Group]) -> None:
    table = Table("domain", "reason", "letters", "newest", "failed at", "error")
    for each in groups:
        one = each.newest
        error = one.error.splitlines()[0] if one.error else ""
        cells = (each.domain, each.reason, f"{each.count:,}", one.id[:8], moment(one.failed_at), error)
        table.add_row(*(shown(cell) for cell in cells))
    console().print(table)
    failed = sum(each.count for each in groups if not each.refused_rows)
    rows = sum(each.count for each in groups if each.refused_rows)
    told = f"{failed:,} dead letters" + (f"; {rows:,} rows of files were refused" if rows else "")
    console().print(
        shown(f"{told}. Each letter: `ecommerce dlq list DOMAIN`, --reason or --all"), soft_wrap=True
    )


def _tell(outcome: Outcome, done: str, already: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"sent": outcome.sent, "already": outcome.already, "refused": outcome.refused})
    else:
        for one, why in outcome.refused.items():
            console().print(shown(f"left {one}: {why}", "yellow"), soft_wrap=True)
        console().print(f"{len(outcome.sent)} {done}, {len(outcome.already)} were {already} already")
    if outcome.refused:
        raise typer.Exit(1)


def _name() -> str:
    try:
        return getuser()
    except (OSError, KeyError):  # a container's user may have no name
        return "command line"


def _text_of(file: Path) -> str:
    try:
        return file.read_text()
    except OSError as error:
        raise CommandError(f"--file {file}: {error.strerror}", 2) from error


def _one(identity: str) -> Letter:
    found = _select(None, None, (identity,))
    if len(found) != 1:
        raise CommandError(f"{identity}: {len(found) or 'no'} dead letters have this id", 2)
    return found[0]


def _named(ids: tuple[str, ...], domain: str | None = None, reason: str | None = None) -> list[Letter]:
    """Return the letters with these ids, and those that other consumers have of the same records.

    Raises CommandError for an id that is none's.
    """
    everything = _select(None, None, ())
    mine = [one for one in everything if matches(one, reason, ids) and domain in (None, one.domain)]
    for each in ids:
        if not any(one.id.startswith(each) for one in mine):
            raise CommandError(f"{each}: no dead letter has this id", 2)
    return [one for cause in causes(everything) if any(one in mine for one in cause) for one in cause]


def _cells(cause: tuple[Letter, ...]) -> Iterator[str]:
    """Yield what the list shows of the letters of one record."""
    one = cause[0]
    yield one.id[:8]
    yield moment(one.failed_at)
    yield one.source
    yield one.record.key_text or ""
    yield ", ".join(consumers(cause))
    yield one.reason
    yield f"{one.attempt}{'' if one.standing is Standing.WAITING else f' {one.standing}'}"
    yield one.error.splitlines()[0] if one.error else ""


def _of_cause(cause: tuple[Letter, ...]) -> dict[str, Any]:
    ids = [one.id for one in cause]
    return {**_figures(cause[0]), "consumers": consumers(cause), "ids": ids}


def _select(domain: str | None, reason: str | None, ids: tuple[str, ...]) -> list[Letter]:
    with broker(settings()):
        return [letter for letter in load(settings(), domain) if matches(letter, reason, ids)]


def _figures(letter: Letter) -> dict[str, Any]:
    return {
        "id": letter.id,
        "domain": letter.domain,
        "reason": letter.reason,
        "error": letter.error,
        "attempt": letter.attempt,
        "source": letter.source,
        "key": letter.record.key_text,
        "failed_at": letter.failed_at,
        "standing": letter.standing,
    }
