"""What a replay comes to: every output, then every table's final states. The stored one is golden."""

import lzma
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from deploy.errors import CommandError
from deploy.records.record import Record
from deploy.replay.memory import emitted, inputs
from deploy.tap.decoding import decode
from streams.kernel.driver import Driver
from streams.kernel.flow import Flow

Fields = dict[str, Any]

# Where a record lies follows from its key and from what else is in the topic: no handler decides it.
_OF_THE_LOG = ("topic", "key", "partition", "offset", "timestamp", "schema_id")


class Line(msgspec.Struct, frozen=True):
    """An output, or a state of a table at the end: its topic or `table NAME`, its key, its fields."""

    place: str
    key: str | None
    fields: Fields

    @property
    def identity(self) -> str | None:
        """Return the message's id, which is derived from its cause; None for a state."""
        return self.fields.get("event_id")


async def outcome(recorded: Sequence[Record], flows: Sequence[Flow[Any]], partitions: int) -> list[Line]:
    """Replay a recording through the flows in memory and return what they emit and what they then hold."""
    lines: list[Line] = []
    ended = await emitted(flows, inputs(recorded, flows), partitions, lambda one: lines.append(_output(one)))
    return lines if ended.driver is None else [*lines, *_states(flows, ended.driver)]


def write_golden(path: Path, lines: Iterable[Line]) -> None:
    """Store an outcome: JSON lines, compressed; the same outcome gives the same bytes."""
    text = b"".join(msgspec.json.encode(line) + b"\n" for line in lines)
    path.write_bytes(lzma.compress(text))


def read_golden(path: Path) -> list[Line]:
    """Return a stored outcome. Raises CommandError where there is none, or it is something else."""
    try:
        text = lzma.decompress(path.read_bytes())
        return [msgspec.json.decode(line, type=Line) for line in text.splitlines()]
    except (msgspec.MsgspecError, lzma.LZMAError) as error:
        raise CommandError(f"{path}: not a golden outcome: {error}") from error
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror} (--accept-golden stores today's outcome)") from error


def _output(record: Record) -> Line:
    row = {name: value for name, value in decode(record).items() if name not in _OF_THE_LOG}
    return Line(record.topic, record.key_text, _as_stored(row))


def _states(flows: Sequence[Flow[Any]], driver: Driver) -> Iterator[Line]:
    for table in sorted((flow.table for flow in flows), key=lambda table: table.name):
        for key, state in sorted(driver.table(table).items()):
            yield Line(f"table {table.name}", key, _as_stored(msgspec.msgpack.decode(table.encode(state))))
        for (key, name), part in sorted(driver.parts(table).items()):
            fields = {"part": msgspec.to_builtins(part)}
            yield Line(f"table {table.name}", f"{key} {name}", _as_stored(fields))


def _as_stored(fields: Fields) -> Fields:
    """Return the fields as they come back from the file, where keys are text and tuples lists."""
    stored: Fields = msgspec.json.decode(msgspec.json.encode(fields))
    return stored
