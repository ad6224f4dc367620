from xml.etree import ElementTree as ET

from tests.bench import overload_chart


def row(case: str, contender: str, median: float) -> dict[str, str]:
    return {"step": "overload", "case": case, "contender": contender, "median": str(median)}


def test_every_curve_is_drawn_over_the_multiples_of_what_is_sustainable() -> None:
    rows = [row("sustainable", "candidate", 100)]
    for factor in (2.0, 0.5):
        rows.append(row(f"{factor:g}x", "candidate", 100))
        rows += [
            row(f"{factor:g}x", f"candidate: {figure}", 7) for figure in overload_chart._FIGURES.values()
        ]
    points = overload_chart.points_of(rows)
    assert points["accepted"] == [(0.5, 100.0), (2.0, 100.0)]
    chart = ET.fromstring(overload_chart.draw(points))
    lines = [node for node in chart if node.tag.endswith("polyline")]
    assert len(lines) == sum(len(curves) for _, curves in overload_chart._PANELS)
