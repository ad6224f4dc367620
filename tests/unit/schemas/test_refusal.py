"""Reasons of refusals: texts on the wire, each with its kind; and no text beside them."""

import re
from pathlib import Path

import pytest

from api.rejections import STATUSES
from schemas.refusal import Fault, Refusal, fault_of

STREAMS = Path(__file__).parents[3] / "streams"


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        ("unknown_sku", 404),
        ("invalid_price", 422),
        ("not_positive", 422),
        ("forbidden", 403),
        ("cart_frozen", 409),
    ],
)
def test_the_kind_of_a_reason_decides_the_status(reason: str, status: int) -> None:
    assert STATUSES[fault_of(reason)] == status


def test_a_reason_of_a_newer_release_is_a_conflict() -> None:
    assert fault_of("not_known_yet") is Fault.CONFLICT


def test_every_kind_has_a_status_and_every_reason_a_meaning() -> None:
    assert set(STATUSES) == set(Fault)
    assert all(each.meaning.endswith(".") and f"{each}" == each.value for each in Refusal)


def test_the_rules_name_no_reason_as_a_text() -> None:
    quoted = re.compile("|".join(f'"{each}"' for each in Refusal))
    found = [
        f"{path.name}: {text}"
        for path in STREAMS.rglob("*.py")
        if "kernel" not in path.parts
        for text in quoted.findall(path.read_text())
    ]
    assert found == []
