"""The chart of a release's figures, for the README, on a logarithmic scale: against baselines, against goals.

`python -m tests.bench.chart` draws docs/benchmarks/results.svg from the release's CSV file.
"""

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from tests.bench.report import RECORDS, current
from tests.bench.step import CANDIDATE

CHART = RECORDS / "results.svg"
_WIDTH, _LEFT, _RIGHT, _ROW, _HEAD, _FOOT = 900, 370, 150, 22, 62, 30
_RATIOS, _SHARES = (0.1, 1.0, 10.0, 100.0), (0.25, 0.5, 1.0, 2.0, 4.0)
_FONT = 'font-family="system-ui, sans-serif" font-size="12"'
_BETTER, _WORSE, _QUIET = "#2f6fab", "#c05621", "#68707c"

Row = dict[str, str]
Ticks = tuple[float, ...]


@dataclass(frozen=True)
class Bar:
    """One line of a panel: how many `times` what it is held against, and at how many times its goal is."""

    label: str
    times: float
    text: str
    goal: float | None


def rows_of(path: Path) -> list[Row]:
    """Return the latest row of each step, case and contender, in the file's order."""
    latest: dict[tuple[str, str, str], Row] = {}
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            latest[row["step"], row["case"], row["contender"]] = row
    return list(latest.values())


def draw(rows: Sequence[Row]) -> str:
    """Return the chart: a panel of ratios to baselines, and one of figures with absolute goals."""
    against = [bar for row in rows if (bar := _against_baseline(row))]
    reached = [bar for row in rows if (bar := _against_goal(row))]
    first = _panel(
        "The platform against its baselines",
        "how many times the baseline of the same run; the black stroke is the goal",
        against,
        _RATIOS,
        0,
    )
    top = _height(against)
    second = _panel(
        "The platform against absolute goals",
        "how many times as good as the goal (at 1 x); rates and latencies alike",
        reached,
        _SHARES,
        top,
    )
    height = top + _height(reached)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" {_FONT}>'
    return "\n".join([head, f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>', *first, *second]) + (
        "\n</svg>\n"
    )


def _against_baseline(row: Row) -> Bar | None:
    if not row["ratio"]:
        return None
    ratio = float(row["ratio"])
    goal = _limit(row["goal"], ">=")
    return Bar(f"{row['step']}, {row['case']}: {row['contender']}", ratio, f"{ratio:.3g} x", goal)


def _against_goal(row: Row) -> Bar | None:
    most, least = _limit(row["goal"], "<="), _limit(row["goal"], ">=")
    if row["ratio"] or (most is None and least is None):
        return None
    value = float(row["median"])
    times = (most / value if value else math.inf) if most is not None else value / (least or 1.0)
    what = row["contender"].removeprefix(CANDIDATE).removeprefix(": ") or row["unit"]
    text = f"{value:,.4g} ({row['goal'].replace('<=', '≤').replace('>=', '≥')})"
    return Bar(f"{row['step']}, {row['case']}: {what}", times, text, 1.0)


def _limit(goal: str, sign: str) -> float | None:
    return float(goal.removeprefix(sign)) if goal.startswith(sign) else None


def _panel(title: str, legend: str, bars: Sequence[Bar], ticks: Ticks, top: int) -> list[str]:
    first, bottom = top + _HEAD, top + _height(bars) - _FOOT
    parts = [
        f'<text x="16" y="{top + 24}" font-size="16" font-weight="600">{escape(title)}</text>',
        f'<text x="16" y="{top + 42}" fill="{_QUIET}">{escape(legend)}</text>',
    ]
    for tick in ticks:
        x = _x(tick, ticks)
        colour = "#4a5568" if tick == 1 else "#e2e5ea"
        parts += [
            f'<line x1="{x}" x2="{x}" y1="{first - 6}" y2="{bottom}" stroke="{colour}"/>',
            _text(x, bottom + 16, f"{tick:g} x", f'text-anchor="middle" fill="{_QUIET}"'),
        ]
    for number, bar in enumerate(bars):
        parts += _bar(bar, ticks, first + number * _ROW)
    return parts


def _bar(bar: Bar, ticks: Ticks, y: int) -> list[str]:
    one, end = _x(1, ticks), _x(bar.times, ticks)
    fill = _BETTER if bar.times >= (bar.goal or 1.0) else _WORSE
    goal = [] if bar.goal is None else [_stroke(_x(bar.goal, ticks), y)]
    return [
        _text(_LEFT - 12, y + 13, bar.label, 'text-anchor="end"'),
        f'<rect x="{min(one, end)}" y="{y + 2}" width="{abs(end - one) or 1}" height="14" fill="{fill}"/>',
        _text(max(one, end, _x(bar.goal or 1, ticks)) + 6, y + 13, bar.text),
        *goal,
    ]


def _stroke(x: float, y: int) -> str:
    return f'<line x1="{x}" x2="{x}" y1="{y}" y2="{y + _ROW - 4}" stroke="#1a202c" stroke-width="2"/>'


def _text(x: float, y: float, text: str, style: str = "") -> str:
    return f'<text x="{x}" y="{y}" {style}>{escape(text)}</text>'


def _x(times: float, ticks: Ticks) -> float:
    least, most = ticks[0], ticks[-1]
    share = math.log(min(max(times, least), most) / least) / math.log(most / least)
    return round(_LEFT + share * (_WIDTH - _LEFT - _RIGHT), 1)


def _height(bars: Sequence[Bar]) -> int:
    return _HEAD + _ROW * len(bars) + _FOOT


if __name__ == "__main__":
    CHART.write_text(draw(rows_of(current())))
