"""Outcomes that differ, told by topic, key and field."""

from pathlib import Path

import pytest

from deploy.errors import CommandError
from deploy.replay.difference import differences, figures, report
from deploy.replay.outcome import Line, read_golden, write_golden

UPDATED = "ecommerce.cart.updated"


def message(event_id: str, key: str = "c1", **data: object) -> Line:
    return Line(UPDATED, key, {"event_id": event_id, "data": data})


def verdicts(golden: list[Line], now: list[Line]) -> list[tuple[str, str | None, dict[str, tuple[str, str]]]]:
    return [(one.verdict, one.key, one.fields) for one in differences(golden, now)]


def test_equal_outcomes_have_no_difference_whatever_the_order_across_keys() -> None:
    one, two = message("1", "c1", total=3), message("2", "c2", total=4)
    assert differences([one, two], [two, one]) == []


def test_a_changed_field_is_named_by_its_path() -> None:
    golden = [message("1", lines=[{"sku": "A", "quantity": 2}], note=None)]
    now = [message("1", lines=[{"sku": "A", "quantity": 3}, {"sku": "B"}])]
    assert verdicts(golden, now) == [
        (
            "changed",
            "c1",
            {
                "data.lines[0].quantity": ("2", "3"),
                "data.note": ("null", "(absent)"),
                "data.lines[1].sku": ("(absent)", '"B"'),
            },
        )
    ]


def test_messages_are_paired_by_id_so_that_one_more_does_not_shift_the_rest() -> None:
    golden = [message("1", n=1), message("2", n=2)]
    now = [message("0", n=0), *golden]
    assert verdicts(golden, now) == [("new", "c1", {})]
    assert verdicts(now, golden) == [("missing", "c1", {})]


def test_messages_whose_ids_changed_are_paired_in_their_order() -> None:
    found = verdicts([message("1", n=1)], [message("9", n=2)])
    assert found == [("changed", "c1", {"event_id": ('"1"', '"9"'), "data.n": ("1", "2")})]


def test_another_order_within_a_key_is_a_difference() -> None:
    one, two = message("1"), message("2")
    assert [fields for _, _, fields in verdicts([one, two], [two, one])] == [
        {"(order)": ("#0", "#1")},
        {"(order)": ("#1", "#0")},
    ]


def test_the_report_counts_what_it_leaves_out() -> None:
    golden = [message(str(number), f"c{number}", n=1) for number in range(5)]
    now = [message(str(number), f"c{number}", n=2) for number in range(4)] + golden[4:]
    found = differences(golden, now)
    text = report(found, len(golden), shown=1)
    assert "changed ecommerce.cart.updated c0 (0)" in text
    assert "data.n: 1 -> 2" in text
    assert "... and 3 more" in text
    assert text.endswith("4 differences; 1 of 5 golden lines are as they were")
    assert figures(found[0])["fields"] == {"data.n": {"golden": "1", "now": "2"}}


def test_an_outcome_is_stored_whole_and_always_alike(tmp_path: Path) -> None:
    lines = [message("1", lines=[], name="ä"), Line("table cart", "c1", {"version": 1})]
    for name in ("one", "two"):
        write_golden(tmp_path / name, lines)
    assert read_golden(tmp_path / "one") == lines
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@pytest.mark.parametrize("content", [b"no archive", b"\xfd7zXZ"])
def test_what_is_no_golden_outcome_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(CommandError, match="not a golden outcome"):
        read_golden(tmp_path / "x")
    with pytest.raises(CommandError, match="--accept-golden"):
        read_golden(tmp_path / "absent")
