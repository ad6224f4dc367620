"""The index of the decisions (docs/adr), from the head of each file."""

import re
from collections.abc import Iterator
from pathlib import Path

from deploy.docs.markdown import page, table

FOLDER = Path(__file__).parents[2] / "docs" / "adr"

_HEAD = re.compile(
    r"# (?P<number>\d{4}): (?P<title>[^\n]+)\n\nStatus: (?P<status>[^\n]+), (?P<day>\d{4}-\d\d-\d\d)\n"
)
_STATUS = re.compile(r"proposed|accepted|void|superseded by \d{4}")

_INTRODUCTION = (
    "One file a decision: what was chosen, why, and what would make us choose again.",
    "Libraries stand in one table.",
    "",
)


class DecisionError(Exception):
    """A decision's file does not begin as they all do, or its number is not the next one."""


def decisions(folder: Path = FOLDER) -> str:
    """Return the index page. Raises DecisionError where a file's head or number is not as it should be."""
    return page("Decisions", _INTRODUCTION, table(["#", "decision", "status", "date"], _rows(folder)))


def _rows(folder: Path) -> Iterator[list[str]]:
    for number, path in enumerate(sorted(folder.glob("[0-9]*.md")), start=1):
        head = _HEAD.match(path.read_text())
        if head is None:
            raise DecisionError(f"{path.name} does not begin with '# NNNN: title' and 'Status: status, date'")
        if head["number"] != path.name[:4] or int(head["number"]) != number:
            raise DecisionError(f"{path.name}: {number:04} comes next, and stands in both name and title")
        if not _STATUS.fullmatch(head["status"]):
            raise DecisionError(f"{path.name}: no decision is '{head['status']}'")
        yield [f"[{head['number']}]({path.name})", head["title"], head["status"], head["day"]]
