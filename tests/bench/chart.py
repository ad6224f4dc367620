"""The chart of a release's figures, for the README: how many times each baseline, on a logarithmic scale.

`python -m tests.bench.chart` draws docs/benchmarks/results.svg from the release's CSV file.
"""

import csv
import math
from html import escape
from pathlib import Path

from tests.bench.report import RECORDS, current

CHART = RECORDS / "results.svg"
_WIDTH, _LEFT, _RIGHT, _ROW, _TOP, _BOTTOM = 860, 300, 90, 22, 64, 34
_LEAST, _MOST = 0.1, 1_000.0
_FONT = 'font-family="system-ui, sans-serif" font-size="12"'
_LEGEND = "medians of one run, times the baseline; more is better; the stroke is the goal"
_BETTER, _WORSE, _QUIET = "#2f855a", "#c05621", "#8a8f98"


def rows_of(path: Path) -> list[dict[str, str]]:
    """Return the latest row of each step, case and contender that has a ratio, in the file's order."""
    latest: dict[tuple[str, str, str], dict[str, str]] = {}
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            if row["ratio"]:
                latest[row["step"], row["case"], row["contender"]] = row
    return list(latest.values())


def draw(rows: list[dict[str, str]]) -> str:
    """Return the chart: one bar per baseline, from 1 (as good) to the ratio; the goal is a stroke."""
    height = _TOP + _ROW * len(rows) + _BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" {_FONT}>',
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        '<text x="16" y="24" font-size="16" font-weight="600">The platform against its baselines</text>',
        f'<text x="16" y="42" fill="{_QUIET}">{_LEGEND}</text>',
    ]
    bottom = height - _BOTTOM
    for power in range(round(math.log10(_LEAST)), round(math.log10(_MOST)) + 1):
        x = _x(10.0**power)
        parts.append(f'<line x1="{x}" x2="{x}" y1="{_TOP - 8}" y2="{bottom}" stroke="#e2e5ea"/>')
        parts.append(
            f'<text x="{x}" y="{bottom + 16}" text-anchor="middle" fill="{_QUIET}">{10.0**power:g} x</text>'
        )
    for number, row in enumerate(rows):
        parts += _bar(row, _TOP + number * _ROW)
    parts.append(f'<line x1="{_x(1)}" x2="{_x(1)}" y1="{_TOP - 8}" y2="{bottom}" stroke="#4a5568"/>')
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def _bar(row: dict[str, str], y: int) -> list[str]:
    ratio = float(row["ratio"])
    goal = float(row["goal"].removeprefix(">= ")) if row["goal"].startswith(">= ") else None
    one, end = _x(1), _x(ratio)
    fill = _BETTER if ratio >= (goal or 1.0) else _WORSE
    label = escape(f"{row['step']} {row['case']}: {row['contender']}")
    parts = [
        f'<text x="{_LEFT - 12}" y="{y + 13}" text-anchor="end">{label}</text>',
        f'<rect x="{min(one, end)}" y="{y + 2}" width="{abs(end - one) or 1}" height="14" fill="{fill}"/>',
        f'<text x="{max(one, end) + 6}" y="{y + 13}">{ratio:.3g}</text>',
    ]
    if goal is not None:
        x = _x(goal)
        parts.append(
            f'<line x1="{x}" x2="{x}" y1="{y}" y2="{y + _ROW - 4}" stroke="#1a202c" stroke-width="2"/>'
        )
    return parts


def _x(ratio: float) -> float:
    share = math.log(min(max(ratio, _LEAST), _MOST) / _LEAST) / math.log(_MOST / _LEAST)
    return round(_LEFT + share * (_WIDTH - _LEFT - _RIGHT), 1)


if __name__ == "__main__":
    CHART.write_text(draw(rows_of(current())))
