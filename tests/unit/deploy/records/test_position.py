import pytest

from deploy.records.position import AtOffset, AtTime, Beginning, End, Position, parse_position
from deploy.records.span import Span, offset_of

NOW = 1_700_000_000_000


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("beginning", Beginning()),
        ("start", Beginning()),
        ("end", End()),
        ("0", AtOffset(0)),
        ("120", AtOffset(120)),
        ("-5", AtOffset(-5)),
        ("-10m", AtTime(NOW - 600_000)),
        ("-1h30m", AtTime(NOW - 5_400_000)),
        ("-250ms", AtTime(NOW - 250)),
        ("-2d", AtTime(NOW - 172_800_000)),
        ("2023-11-14T22:13:20", AtTime(NOW)),
        ("2023-11-14T23:13:20+01:00", AtTime(NOW)),
        ("2023-11-14", AtTime(1_699_920_000_000)),
    ],
)
def test_reads_every_form(text: str, position: Position) -> None:
    assert parse_position(text, NOW) == position


@pytest.mark.parametrize("text", ["", "noon", "10m", "-10x", "--5", "2023-13-01"])
def test_names_what_is_no_position(text: str) -> None:
    with pytest.raises(ValueError, match="is no position"):
        parse_position(text, NOW)


@pytest.mark.parametrize(
    ("position", "found", "offset"),
    [
        (Beginning(), None, 10),
        (End(), None, 50),
        (AtOffset(20), None, 20),
        (AtOffset(5), None, 10),
        (AtOffset(99), None, 50),
        (AtOffset(-5), None, 45),
        (AtOffset(-500), None, 10),
        (AtTime(NOW), 30, 30),
        (AtTime(NOW), None, 50),
    ],
)
def test_stays_within_what_the_partition_holds(position: Position, found: int | None, offset: int) -> None:
    assert offset_of(position, 10, 50, found) == offset


def test_a_span_that_ends_before_it_starts_is_empty() -> None:
    assert Span("t", 0, 5, 3).length == 0
