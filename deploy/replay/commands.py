"""`ecommerce replay`: recorded records, again."""

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from deploy.broker import broker
from deploy.errors import CommandError
from deploy.output import JsonOption, console, notes, print_json
from deploy.records.position import AtOffset, Beginning, Position, parse_position
from deploy.records.record import Record
from deploy.records.sender import Sender
from deploy.replay.difference import differences, figures, report
from deploy.replay.memory import emitted, inputs
from deploy.replay.outcome import outcome, read_golden, write_golden
from deploy.replay.source import Stretch, from_archive, from_file, from_topics, spans_of
from deploy.tap.decoding import decode
from deploy.tap.selection import select
from deploy.tap.text import JsonLines, Pretty
from streams.flows import FLOWS
from topics.admin import all_topics
from topics.settings import settings

MEMORY = "memory"
ORIGIN = "origin"


def replay(
    source: Annotated[str, typer.Argument(help="A recorded file (`tap --record`), or topics as in `tap`.")],
    to: Annotated[
        str,
        typer.Option(
            help="A topic; `origin`: each record's own topic; `memory`: the flows in this process, nothing "
            "is written, and what they would emit is printed."
        ),
    ] = MEMORY,
    *,
    start: Annotated[str | None, typer.Option("--from", help="First record: offset, time, `-10m`.")] = None,
    until: Annotated[str | None, typer.Option(help="Stop before this: offset, time, `-10m`.")] = None,
    key: Annotated[list[str] | None, typer.Option(help="Only this key; may be repeated.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many records.")] = None,
    golden: Annotated[
        Path | None,
        typer.Option(
            help="Compare the outputs and the final tables in memory with this stored outcome; exit 1 where "
            "they differ.",
            dir_okay=False,
        ),
    ] = None,
    accept: Annotated[
        bool, typer.Option("--accept-golden", help="Store today's outcome as --golden instead of comparing.")
    ] = False,
    archive: Annotated[
        str | None,
        typer.Option(help="Take the topics' records from this archive: a folder or `s3://` URL."),
    ] = None,
    then_topics: Annotated[
        bool, typer.Option("--then-topics", help="With --archive: go on with what the topics hold beyond it.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Run the flows on recorded records in memory; or produce them again, keys, values and headers unchanged.

    Into `memory` go the records that the flows do not make themselves of others that are replayed; the clock
    follows their timestamps. The bounds of a file are times.
    """
    if golden is not None and to != MEMORY:
        raise CommandError(f"--golden: compares a replay in memory, not one to {to}", 2)
    if accept and golden is None:
        raise CommandError("--accept-golden: name the file with --golden", 2)
    if then_topics and (archive is None or to == ORIGIN):
        raise CommandError("--then-topics: goes on from an --archive, and not to where the records lie", 2)
    stretch = Stretch(
        _position("--from", start) or Beginning(),
        _position("--until", until),
        frozenset(one.encode() for one in key or ()),
        limit,
    )
    if archive is None:
        total, records = _records(source, stretch)
    else:
        total, records = None, from_archive(archive, settings() if then_topics else None, source, stretch)
    if golden is not None:
        _against(golden, list(islice(records, limit)), accept=accept, as_json=as_json)
    elif to == MEMORY:
        _in_memory(islice(records, limit), as_json=as_json)
    else:
        _to_topics(islice(records, limit), to, total, yes=yes, as_json=as_json)


def _position(option: str, text: str | None) -> Position | None:
    try:
        return None if text is None else parse_position(text, time.time_ns() // 1_000_000)
    except ValueError as error:
        raise CommandError(f"{option}: {error}", 2) from error


def _records(source: str, stretch: Stretch) -> tuple[int | None, Iterator[Record]]:
    """Return the source's records, and how many they are at most where that is known."""
    path = Path(source)
    if path.is_file():
        if isinstance(stretch.start, AtOffset) or isinstance(stretch.end, AtOffset):
            raise CommandError("--from/--until: a recorded file's bounds are times, not offsets", 2)
        return None, from_file(path, stretch)
    if "/" in source or path.suffix == ".avro":
        raise CommandError(f"{source}: no such file", 2)
    with broker(settings()):
        spans = spans_of(settings(), [source], stretch)
    return sum(span.length for span in spans), from_topics(settings(), spans, stretch.keys)


def _in_memory(records: Iterator[Record], *, as_json: bool) -> None:
    counts: Counter[str] = Counter()
    writer = Pretty(console()) if sys.stdout.isatty() else JsonLines(sys.stdout)

    def take(record: Record) -> None:
        counts[record.topic] += 1
        if not as_json:
            writer.write(record, decode(record))

    fed = asyncio.run(emitted(FLOWS, inputs(records, FLOWS), settings().partitions, take)).fed
    if as_json:
        print_json({"fed": fed, "emitted": counts})
        return
    notes().print(f"{fed} records fed, {counts.total()} emitted")
    for topic, count in sorted(counts.items()):
        notes().print(f"{count:>8} {topic}")


def _against(golden: Path, records: list[Record], *, accept: bool, as_json: bool) -> None:
    now = asyncio.run(outcome(records, FLOWS, settings().partitions))
    if accept:
        write_golden(golden, now)
        notes().print(f"{len(now)} outputs and states stored in {golden}")
        return
    before = read_golden(golden)
    found = differences(before, now)
    if as_json:
        print_json({"golden": len(before), "differences": [figures(one) for one in found]})
    else:
        print(report(found, len(before)))
    if found:
        raise typer.Exit(1)


def _to_topics(records: Iterator[Record], to: str, total: int | None, *, yes: bool, as_json: bool) -> None:
    target = None if to == ORIGIN else select([to], (topic.name for topic in all_topics()))[0]
    if not yes:
        asked = "the topics that they came from" if target is None else target
        typer.confirm(
            f"produce the records to {asked} at {settings().kafka_bootstrap}?", abort=True, err=True
        )
    sent: Counter[str] = Counter()
    bar = Progress(console=notes(), transient=True, disable=as_json)
    with broker(settings()), Sender(settings()) as sender, bar:
        task = bar.add_task("replayed", total=total)
        for record in records:
            topic = target or record.topic
            sender.send(topic, record.key, record.value, record.headers)
            sent[topic] += 1
            bar.advance(task)
    if as_json:
        print_json({"records": sent.total(), "topics": sent})
    else:
        console().print(f"{sent.total()} records produced")
