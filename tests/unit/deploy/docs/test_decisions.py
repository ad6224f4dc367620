"""The index of decisions, and that every page's links lead somewhere."""

import re
from pathlib import Path

import pytest

from deploy.docs.decisions import FOLDER, DecisionError, decisions

ROOT = FOLDER.parents[1]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]


def written(folder: Path, *heads: str) -> Path:
    for number, head in enumerate(heads, start=1):
        (folder / f"{number:04}-decided.md").write_text(head)
    return folder


def test_each_decision_has_a_row(tmp_path: Path) -> None:
    folder = written(
        tmp_path,
        "# 0001: One\n\nStatus: accepted, 2026-01-02\n",
        "# 0002: Two\n\nStatus: superseded by 0001, 2026-01-03\n",
    )
    assert decisions(folder).splitlines()[-2:] == [
        "| [0001](0001-decided.md) | One | accepted | 2026-01-02 |",
        "| [0002](0002-decided.md) | Two | superseded by 0001 | 2026-01-03 |",
    ]


@pytest.mark.parametrize(
    ("head", "rule"),
    [
        ("# 0002: Two\n\nStatus: accepted, 2026-01-02\n", "0001 comes next"),
        ("# 0001: One\n", "does not begin"),
        ("# 0001: One\n\nStatus: accepted\n", "does not begin"),
        ("# 0001: One\n\nStatus: liked, 2026-01-02\n", "no decision is 'liked'"),
    ],
)
def test_a_decision_that_begins_otherwise_is_named(tmp_path: Path, head: str, rule: str) -> None:
    with pytest.raises(DecisionError, match=f"0001-decided.md.*{rule}"):
        decisions(written(tmp_path, head))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    for target in re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", text):
        assert (page.parent / target).exists(), target
