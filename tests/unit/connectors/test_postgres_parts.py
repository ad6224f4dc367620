import dataclasses
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.postgres import statements
from connectors.postgres.compaction import compact
from connectors.postgres.errors import blames_data, code_of
from connectors.postgres.table import Row, Table
from connectors.postgres.tombstone import CompactedProjection, Tombstone
from topics import registry as t


class Head(NamedTuple):
    id: str
    version: int
    text: str = ""


class Part(NamedTuple):
    id: str
    ordinal: int


class Loose(NamedTuple):
    k: str


class Event(NamedTuple):
    id: str
    at: int


HEADS = Table("heads", Head, key=("id",), version="version")
PARTS = Table("parts", Part, key=("id", "ordinal"), owner=HEADS)
EVENTS = Table("events", Event, key=("id",))
TABLES = {each.row: each for each in (HEADS, PARTS, EVENTS)}


def test_the_highest_version_counts_and_its_parts_with_it() -> None:
    batch: list[list[Row]] = [
        [Head("a", 1), Part("a", 1), Event("e1", 1)],
        [Head("a", 3), Part("a", 1), Part("a", 2)],
        [Head("a", 2), Part("a", 7), Event("e1", 2)],
        [Head("b", 1)],
    ]
    kept = compact(batch, TABLES).rows
    assert kept[HEADS] == [Head("a", 3), Head("b", 1)]
    assert kept[PARTS] == [Part("a", 1), Part("a", 2)]
    assert kept[EVENTS] == [Event("e1", 1), Event("e1", 2)], (
        "of what is only added the server keeps the first"
    )


def test_of_equal_versions_the_first_counts_and_a_doubled_part_is_left_to_the_server() -> None:
    kept = compact(
        [[Head("a", 1, "x"), Part("a", 1), Part("a", 1)], [Head("a", 1, "y"), Part("a", 2)]], TABLES
    ).rows
    assert kept[HEADS] == [Head("a", 1, "x")]
    assert kept[PARTS] == [Part("a", 1), Part("a", 1)]


@given(st.lists(st.builds(Head, st.sampled_from("abc"), st.integers(0, 5)), max_size=30))
def test_one_row_per_key_in_the_order_of_keys(heads: list[Head]) -> None:
    kept = compact([[head] for head in heads], TABLES).rows.get(HEADS, [])
    assert [row[0] for row in kept] == sorted({head.id for head in heads})
    for row in kept:
        assert row[1] == max(head.version for head in heads if head.id == row[0])


def test_what_comes_before_a_tombstone_does_not_count() -> None:
    batch: list[list[Row]] = [
        [Head("a", 7), Part("a", 1)],
        [Head("b", 2)],
        [Tombstone(HEADS, "a", 2)],
        [Tombstone(HEADS, "c", 3)],
        [Head("a", 1), Part("a", 2)],
        [Tombstone(HEADS, "b", 5)],
    ]
    rows, deleted = compact(batch, TABLES)
    assert rows == {HEADS: [Head("a", 1)], PARTS: [Part("a", 2)]}
    assert deleted == {HEADS: {"a": 2, "b": 5, "c": 3}}
    assert compact([[]], TABLES).empty


def test_a_row_that_no_table_takes_is_an_error() -> None:
    with pytest.raises(KeyError):
        compact([[("x",)]], TABLES)


def test_the_statements() -> None:
    assert statements.create_stage(HEADS) == (
        "CREATE TEMPORARY TABLE stage_heads ON COMMIT DELETE ROWS AS"
        " SELECT id, version, text FROM heads WITH NO DATA"
    )
    assert statements.merge(HEADS) == (
        "INSERT INTO heads (id, version, text) SELECT id, version, text FROM stage_heads"
        " ON CONFLICT (id) DO UPDATE SET version = excluded.version, text = excluded.text"
        " WHERE excluded.version > heads.version RETURNING id, xmax <> 0"
    )
    assert statements.merge(EVENTS).endswith("ON CONFLICT (id) DO NOTHING")
    placed = dataclasses.replace(HEADS, offset="version")
    assert statements.delete(placed, [PARTS]) == (
        "WITH gone AS (DELETE FROM heads WHERE id = $1 AND version < $2 RETURNING id),"
        " drop_parts AS (DELETE FROM parts WHERE id IN (SELECT * FROM gone)) SELECT count(*) FROM gone"
    )
    assert statements.drop_owned(PARTS) == "DELETE FROM parts WHERE id = ANY($1)"
    assert statements.insert_owned(PARTS) == (
        "INSERT INTO parts (id, ordinal) SELECT id, ordinal FROM stage_parts WHERE id = ANY($1)"
    )


def test_a_declaration_that_does_not_hold_together_is_refused() -> None:
    with pytest.raises(ValueError, match="table x: Head has no nope"):
        Table("x", Head, key=("nope",))
    with pytest.raises(ValueError, match="owner must be versioned"):
        Table("x", Part, key=("id",), owner=EVENTS)
    with pytest.raises(ValueError, match="Loose has no id"):
        Table("x", Loose, key=("k",), owner=HEADS)
    with pytest.raises(ValueError, match="has version and offset"):
        CompactedProjection(t.PRODUCT_CREATED, lambda _: (), ("heads",), table=HEADS)
    with pytest.raises(ValueError, match="has no owner"):
        _ = HEADS.owner_key_of


def test_only_values_are_blamed_on_the_data() -> None:
    assert blames_data(OverflowError("value out of int64 range"))
    assert code_of(OverflowError()) == "OverflowError"
    assert not blames_data(OSError("connection refused"))
