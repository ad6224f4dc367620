"""What others wrote acts neither on a terminal nor in a spreadsheet."""

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.table import Table
from rich.text import Text

from deploy.foreign import cell, shown, shown_in_json, shown_in_line
from deploy.output import console
from deploy.records.position import AtOffset, AtTime, Beginning
from deploy.records.record import Record
from deploy.tap.text import Csv, JsonLines, Pretty, Rows
from deploy.tap.time import Within, read_from

BAD = "a\x1b]0;owned\x07\x9b2J\u202ecod.exe\u2066\x7f"
ACTING = set(BAD) - set("a]0;owned2Jcod.exe")


def row(**data: Any) -> dict[str, Any]:
    return {
        "topic": "ecommerce.order.cancel",
        "partition": 0,
        "offset": 7,
        "timestamp": 1_795_250_000_000,
        "key": "K",
        "headers": {},
        "occurred_at": 1_291_161_600_000,
        "data": data,
    }


RECORD = Record("ecommerce.order.cancel", 0, 7, 0, b"K", b"")


@given(st.text())
def test_nothing_that_acts_is_left(text: str) -> None:
    for safe in (shown(text), shown_in_line(text), cell(text)):
        assert not [each for each in safe if each not in "\n\t" and ord(each) < 32]
        assert "\x1b" not in safe
        assert "\x9b" not in safe
    assert "\n" not in shown_in_line(text)


def test_it_is_shown_and_not_lost() -> None:
    assert shown("\x1b[2J") == "\\x1b[2J"
    assert shown_in_line("a\nb\u202e") == "a\\nb\\u202e"
    assert json.loads(shown_in_json(json.dumps(BAD, ensure_ascii=False))) == BAD


@pytest.mark.parametrize("text", ["=cmd|'/C calc'!A0", "+1", "-2+3", "@SUM(1)", "\tx", "\r=1", "＝1", "－1"])
def test_no_cell_of_text_is_a_formula(text: str) -> None:
    file = io.StringIO()
    writer = Csv(file, ("reason", "delta"))
    writer.write(RECORD, row(reason=text, delta=-5))
    (found,) = csv.DictReader(io.StringIO(file.getvalue()))
    assert found["data.reason"].startswith("'")
    assert found["data.delta"] == "-5", "a number stays a number"


@pytest.mark.parametrize(
    "make", [lambda file: Pretty(console(file)), lambda file: Rows(console(file)), JsonLines]
)
def test_no_format_lets_control_characters_through(make: Any) -> None:
    file = io.StringIO()
    writer = make(file)
    writer.write(RECORD, {**row(reason=BAD), "key": BAD, "headers": {"who": BAD}})
    writer.close()
    assert not ACTING & set(file.getvalue())
    assert "owned" in file.getvalue()


def test_whatever_is_printed_does_not_act() -> None:
    file = io.StringIO()
    table = Table(BAD)
    table.add_row(Text(BAD))
    console(file).print(table, Text(BAD), highlight=False)
    assert not ACTING & set(file.getvalue())


@pytest.mark.parametrize("width", [60, 80, 240])
def test_every_column_of_a_table_is_seen(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    file = io.StringIO()
    terminal = console(file)
    monkeypatch.setattr(type(terminal), "width", property(lambda _: width))
    rows = Rows(terminal)
    rows.write(RECORD, {**row(reason="r" * 500), "key": "1ffac6e9-2353-5529-a7c4-15b3942f758c"})
    rows.close()
    text = file.getvalue().replace("\n", "")
    for shown_ in ("time", "topic", "place", "key", "data", "0:7", "2026-"):
        assert shown_ in text
    assert max(map(len, file.getvalue().splitlines())) <= width


def test_times_may_mean_what_a_field_says() -> None:
    day = Within("occurred_at", AtTime(1_291_161_600_000), AtTime(1_291_161_600_001))
    assert day(row())
    assert not day({**row(), "occurred_at": 1_291_161_600_001})
    placed = Within("data.placed_at", AtTime(10), None)
    assert placed(row(placed_at=10))
    assert not placed(row(placed_at=9))
    assert placed.lacking == 0
    assert not placed(row())
    assert not placed({**row(), "data": None})
    assert placed.lacking == 2
    assert read_from(AtTime(3)) == Beginning()
    assert read_from(AtOffset(3)) == AtOffset(3)
