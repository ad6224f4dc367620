"""Rows as text: JSON lines, CSV, a table, and the pretty form for people."""

import csv
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import IO, Any

import msgspec
from rich.console import Console
from rich.json import JSON
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from deploy.foreign import cell, shown_in_json, shown_in_line
from deploy.records.record import Record
from deploy.tap.decoding import PLACE, Row
from schemas.envelope import Message

ENVELOPE = tuple(name for name in Message.__struct_fields__ if name != "data")
_TABLE_ROWS = 50
_FIRST_MS, _LAST_MS = -62_135_596_800_000, 253_402_300_799_000
_COLUMNS = ("time", "topic", "place", "key", "data")
_BORDERS, _LEAST, _LEAST_DATA = 16, 5, 20


def moment(timestamp: int) -> str:
    """Return a time in ms as ISO 8601 UTC; what is no date of the years 1 to 9999 as its milliseconds."""
    if not _FIRST_MS <= timestamp <= _LAST_MS:
        return f"{timestamp} ms"
    return datetime.fromtimestamp(timestamp / 1000, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


class JsonLines:
    """One JSON object per line."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, _record: Record, row: Row) -> None:
        """Write the row's line, so that a reader of a pipe sees it at once."""
        self._file.write(shown_in_json(msgspec.json.encode(row).decode()) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Nothing is left to write."""


class Csv:
    """CSV with a header. Nested fields become dotted columns, lists become JSON.

    What a spreadsheet would take for a formula begins with an apostrophe, and control characters are written
    out; numbers stay numbers. `data` are the data's field names, known before the first row; where topics are
    mixed, there is one column `data` with JSON.
    """

    def __init__(self, file: IO[str], data: tuple[str, ...]) -> None:
        fields = [f"data.{name}" for name in data] or ["data"]
        columns = [*PLACE, *ENVELOPE, *fields, "tombstone", "error", "value"]
        self._split = bool(data)
        self._writer = csv.DictWriter(file, columns, restval="", extrasaction="ignore")
        self._writer.writeheader()

    def write(self, _record: Record, row: Row) -> None:
        """Write the row's line."""
        cells = {**row, "data": row["data"]}
        if self._split:
            cells |= {f"data.{name}": value for name, value in (row["data"] or {}).items()}
        self._writer.writerow({name: _cell(value) for name, value in cells.items()})

    def close(self) -> None:
        """Nothing is left to write."""


class Rows:
    """A table of one line per record; a new table begins every 50 rows, so that following shows them."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._rows: list[tuple[str, ...]] = []

    def write(self, _record: Record, row: Row) -> None:
        """Add the row."""
        place = f"{row['partition']}:{row['offset']}"
        data = row.get("error") or msgspec.json.encode(row["data"]).decode()
        self._rows.append((moment(row["timestamp"]), row["topic"], place, row["key"] or "", data))
        if len(self._rows) >= _TABLE_ROWS:
            self.close()

    def close(self) -> None:
        """Show what has been added."""
        if not self._rows:
            return
        lines = [[shown_in_line(each) for each in row] for row in self._rows]
        table = Table()
        for name, width in zip(_COLUMNS, _widths(lines, self._console.width), strict=True):
            table.add_column(name, width=width, overflow="ellipsis" if name == "data" else "fold")
        for *place, data in lines:
            # One line of data; left to itself, it would push the others out.
            cut = data if len(data) <= (width := table.columns[-1].width or 1) else f"{data[: width - 1]}…"
            table.add_row(*(Text(each) for each in (*place, cut)))
        self._console.print(table)
        self._rows.clear()


def _widths(lines: Sequence[Sequence[str]], whole: int) -> tuple[int, ...]:
    """Return the columns' widths: time and place as they are, topic and key as far as there is room."""
    time, topic, place, key, _ = (max(map(len, column)) for column in zip(*lines, _COLUMNS, strict=True))
    left = max(whole - time - place - _BORDERS, 3 * _LEAST)
    topic = min(topic, max((left - _LEAST_DATA) // 2, _LEAST))
    key = min(key, max(left - topic - _LEAST_DATA, _LEAST))
    return time, topic, place, key, left - topic - key


class Pretty:
    """Each record under a rule that says where it stood: envelope, headers, data."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def write(self, _record: Record, row: Row) -> None:
        """Show the record."""
        place = f"{row['topic']} {row['partition']}:{row['offset']}"
        self._console.print(
            Rule(Text(f"{place}  {moment(row['timestamp'])}  key {row['key']}"), align="left")
        )
        envelope = {name: row[name] for name in ENVELOPE if row.get(name) is not None}
        for name, value in {**envelope, **{f"header {k}": v for k, v in row["headers"].items()}}.items():
            self._console.print(Text.assemble((f"{name}: ", "dim"), str(value)), soft_wrap=True)
        if "error" in row:
            self._console.print(Text(f"cannot be read: {row['error']}", style="red"), soft_wrap=True)
            self._console.print(Text(row["value"]), soft_wrap=True)
        elif row.get("tombstone"):
            self._console.print(Text("tombstone", style="yellow"))
        else:
            self._console.print(JSON(msgspec.json.encode(row["data"]).decode()))

    def close(self) -> None:
        """Nothing is left to show."""


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, dict | list | bool):
        value = msgspec.json.encode(value).decode()
    return cell(value) if isinstance(value, str) else value
