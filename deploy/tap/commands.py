"""`ecommerce tap`: topics, decoded."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import IO, Annotated, TypeVar

import typer

from deploy.broker import broker
from deploy.errors import CommandError
from deploy.output import console, notes
from deploy.records.archive import Archive
from deploy.records.position import AtTime, Beginning, End, Position, parse_position
from deploy.records.reader import Reader
from deploy.records.record import Record
from deploy.tap.binary import Parquet, Recording
from deploy.tap.decoding import Row, decode
from deploy.tap.selection import select
from deploy.tap.text import Csv, JsonLines, Pretty, Rows
from deploy.tap.time import WRITTEN, Within, read_from
from deploy.tap.where import Where
from deploy.tap.writer import Writer
from topics.registry import TOPICS
from topics.settings import settings

T = TypeVar("T")


class Format(StrEnum):
    """How records are written."""

    PRETTY = "pretty"
    JSON = "json"
    CSV = "csv"
    TABLE = "table"
    PARQUET = "parquet"


def tap(
    topics: Annotated[list[str], typer.Argument(help="Topics: `order.confirmed`, `order.*`, `dlq.cart` ...")],
    *,
    key: Annotated[list[str] | None, typer.Option(help="Only this key; may be repeated.")] = None,
    start: Annotated[
        str | None,
        typer.Option("--from", help="First record: offset, ISO time, `-10m`, `beginning`, `end`."),
    ] = None,
    until: Annotated[str | None, typer.Option(help="Stop before this: offset, ISO time, `-10m`.")] = None,
    by: Annotated[
        str,
        typer.Option(
            "--time",
            metavar="FIELD",
            help="What times mean: `timestamp` (when it was written), `occurred_at`, `data.placed_at` ...",
        ),
    ] = WRITTEN,
    where: Annotated[
        str | None,
        typer.Option(help='Only records that fit: `data.status == "confirmed" and data.total > 1000`.'),
    ] = None,
    form: Annotated[
        Format | None, typer.Option("--format", help="Default: pretty on a terminal, else json.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Stop after so many records.")] = None,
    output: Annotated[Path | None, typer.Option(help="Write to this file.", dir_okay=False)] = None,
    record: Annotated[
        Path | None,
        typer.Option(
            help="Record keys, values, headers and times as they are into this file, for `ecommerce replay`.",
            dir_okay=False,
        ),
    ] = None,
    archive: Annotated[
        str | None, typer.Option(help="Read an archive of the topics instead: a folder or `s3://` URL.")
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Wait for new records until Ctrl-C.")
    ] = False,
) -> None:
    """Read topics, each record decoded with the schema that wrote it; several are merged by time."""
    chosen = form or (Format.PRETTY if sys.stdout.isatty() and output is None else Format.JSON)
    if output is None and chosen is Format.PARQUET:
        raise CommandError(f"--format {chosen}: is a file's format, name the file with --output", 2)
    if record is not None and (form or output):
        raise CommandError(
            "--record: writes a recording and nothing else, leave out --format and --output", 2
        )
    if follow and until:
        raise CommandError("--until: cannot be given with --follow, which does not end", 2)
    if follow and archive:
        raise CommandError("--follow: new records come to the topics, leave out --archive", 2)
    begin = _position("--from", start) or (End() if follow else Beginning())
    end = _position("--until", until)
    matches = Where(where) if where else None
    within, begin, end = _selected(by, begin, end)
    keys = {one.encode() for one in key or ()}
    with ExitStack() as stack:
        if archive:
            kept = Archive(archive)
            names = select(topics, kept.topics())
            records = kept.read(names, begin, end)
        else:
            stack.enter_context(broker(settings()))
            reader = stack.enter_context(Reader(settings()))
            names = select(topics, (name for name in reader.topics() if not name.startswith("__")))
            spans = reader.spans(names, begin, end)
            records = reader.follow(spans) if follow else reader.read_in_time_order(spans)
        wanted = (one for one in records if not keys or one.key in keys)
        rows = islice(
            ((one, row) for one in wanted if _fits(row := decode(one), within) and _fits(row, matches)), limit
        )
        if record is None:
            written = _write(rows, chosen, output, names)
        else:
            written = _copied(rows, _opened(lambda: Recording(record), "--record", record))
    if target := record or output:
        notes().print(f"{written} records written to {target}")
    _remark(written, within, end, matches)


def _selected(
    by: str, begin: Position, end: Position | None
) -> tuple[Within | None, Position, Position | None]:
    """Return what chooses records by a field's time, and where to read for it."""
    if by == WRITTEN or not (isinstance(begin, AtTime) or isinstance(end, AtTime)):
        return None, begin, end
    return Within(by, begin, end), read_from(begin), None if isinstance(end, AtTime) else end


def _remark(written: int, within: Within | None, end: Position | None, matches: Where | None) -> None:
    """Say what may have been meant otherwise."""
    if within is not None and within.lacking:
        notes().print(f"--time: {within.lacking} records have no such time")
    elif not written and within is None and isinstance(end, AtTime):
        notes().print(
            "no record was written then; --time occurred_at or data.placed_at asks for another time"
        )
    if matches is not None and matches.lacking:
        notes().print(f"--where: {matches.lacking} records have no {matches.missing} to compare")


def _fits(row: Row, matches: Callable[[Row], bool] | None) -> bool:
    return matches is None or matches(row)


def _position(option: str, text: str | None) -> Position | None:
    if text is None:
        return None
    try:
        return parse_position(text, time.time_ns() // 1_000_000)
    except ValueError as error:
        raise CommandError(f"{option}: {error}", 2) from error


def _write(rows: Iterator[tuple[Record, Row]], form: Format, output: Path | None, topics: list[str]) -> int:
    with ExitStack() as stack:
        file: IO[str] = sys.stdout
        if output is not None and form is not Format.PARQUET:
            file = stack.enter_context(_opened(lambda: output.open("w", newline=""), "--output", output))
        return _copied(rows, _opened(lambda: _writer(form, file, output, topics), "--output", output))


def _opened(make: Callable[[], T], option: str, path: Path | None) -> T:
    try:
        return make()
    except OSError as error:
        raise CommandError(f"{option} {path}: {error.strerror}", 2) from error


def _copied(rows: Iterator[tuple[Record, Row]], writer: Writer) -> int:
    written = 0
    try:
        for record, row in rows:
            writer.write(record, row)
            written += 1
    except KeyboardInterrupt:  # the way to end --follow: what came so far is complete
        pass
    finally:
        writer.close()
    return written


def _writer(form: Format, file: IO[str], output: Path | None, topics: list[str]) -> Writer:
    one = TOPICS.get(topics[0]) if len(topics) == 1 else None
    terminal = console(file)
    match form:
        case Format.JSON:
            return JsonLines(file)
        case Format.CSV:
            return Csv(file, one.data.__struct_fields__ if one else ())
        case Format.TABLE:
            return Rows(terminal)
        case Format.PRETTY:
            return Pretty(terminal)
        case Format.PARQUET:
            assert output is not None
            return Parquet(output, one.data if one else None)
