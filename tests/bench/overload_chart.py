"""The overload curve: what is accepted, refused and how late it is done, by what is offered.

`python -m tests.bench.overload_chart` draws docs/benchmarks/overload.svg from the release's CSV file.
"""

from collections.abc import Sequence

from tests.bench.chart import Row, rows_of
from tests.bench.report import RECORDS, current
from tests.bench.step import CANDIDATE

CHART = RECORDS / "overload.svg"
_WIDTH, _PANEL, _LEFT, _RIGHT, _TOP, _GAP = 860, 210, 70, 150, 60, 70
_TICKS = 4
_FONT = 'font-family="system-ui, sans-serif" font-size="12"'
_TITLE = "Checkouts over HTTP beyond what is sustainable"
_INK, _QUIET, _GRID = "#1a202c", "#68707c", "#e2e5ea"
_PANELS = (
    ("per second", (("offered", "#a0a7b2"), ("accepted", "#2f6fab"), ("refused", "#c05621"))),
    ("ms to order.confirmed, of the accepted", (("p50", "#7fa8d1"), ("p99", "#2f6fab"))),
    ("memory, MB", (("API", "#2f6fab"), ("worker", "#7fa8d1"), ("broker", "#a0a7b2"))),
)
_FIGURES = {
    "offered": "offered/s",
    "refused": "refused/s",
    "p50": "confirmed p50 ms",
    "p99": "confirmed p99 ms",
    "API": "MB api",
    "worker": "MB worker-0",
    "broker": "MB kafka",
}

Points = dict[str, list[tuple[float, float]]]


def points_of(rows: Sequence[Row]) -> Points:
    """Return each curve's points: the multiple of the sustainable rate, and the value."""
    points: Points = {}
    names = {f"{CANDIDATE}: {figure}": name for name, figure in _FIGURES.items()} | {CANDIDATE: "accepted"}
    for row in rows:
        if row["step"] == "overload" and row["case"].endswith("x") and row["contender"] in names:
            factor = float(row["case"].removesuffix("x"))
            points.setdefault(names[row["contender"]], []).append((factor, float(row["median"])))
    return {name: sorted(some) for name, some in points.items()}


def draw(points: Points) -> str:
    """Return the chart: one panel under the other, over the same multiples."""
    most = max((factor for factor, _ in points["accepted"]), default=1.0)
    height = _TOP + len(_PANELS) * (_PANEL + _GAP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" {_FONT}>',
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="16" y="26" font-size="16" font-weight="600">{_TITLE}</text>',
    ]
    for number, (title, curves) in enumerate(_PANELS):
        parts += _panel(title, {name: points[name] for name, _ in curves}, dict(curves), most, number)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _panel(title: str, curves: Points, colours: dict[str, str], most: float, number: int) -> list[str]:
    top = _TOP + number * (_PANEL + _GAP)
    bottom = top + _PANEL + 18
    highest = max((value for some in curves.values() for _, value in some), default=0.0) or 1.0

    def x(factor: float) -> float:
        return round(_LEFT + factor / most * (_WIDTH - _LEFT - _RIGHT), 1)

    def y(value: float) -> float:
        return round(top + _PANEL - value / highest * (_PANEL - 24), 1)

    parts = [f'<text x="{_LEFT}" y="{top + 6}" fill="{_INK}">{title}</text>']
    for tick in range(_TICKS + 1):
        value = highest * tick / _TICKS
        parts.append(
            f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y(value)}" y2="{y(value)}" stroke="{_GRID}"/>'
            f'<text x="{_LEFT - 8}" y="{y(value) + 4}" text-anchor="end" fill="{_QUIET}">{value:,.0f}</text>'
        )
    for factor, _ in next(iter(curves.values())):
        parts.append(
            f'<text x="{x(factor)}" y="{bottom}" text-anchor="middle" fill="{_QUIET}">{factor:g} x</text>'
        )
    for name, some in curves.items():
        line = " ".join(f"{x(factor)},{y(value)}" for factor, value in some)
        end_x, end_y = x(some[-1][0]), y(some[-1][1])
        parts.append(
            f'<polyline points="{line}" fill="none" stroke="{colours[name]}" stroke-width="2"/>'
            f'<text x="{end_x + 8}" y="{end_y + 4}" fill="{colours[name]}">{name} {some[-1][1]:,.0f}</text>'
        )
    return parts


if __name__ == "__main__":
    CHART.write_text(draw(points_of(rows_of(current()))))
