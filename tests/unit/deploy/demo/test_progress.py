import io

import pytest
from rich.console import Console

from deploy.demo.progress import Meter, ReplayDisplay


def test_rates_are_of_the_last_seconds() -> None:
    meter = Meter(window_s=10)
    assert meter.rates() == (0.0, 0.0)
    for second in range(31):
        meter.add(float(second), second * (1 if second < 15 else 3), second * 100)
    assert meter.rates() == pytest.approx((3.0, 100.0))


def test_elsewhere_than_on_a_terminal_progress_is_a_line() -> None:
    out = io.StringIO()
    with ReplayDisplay(Console(file=out, width=200), 100) as display:
        display.show(10, 250, 7, "replay")
        display.show(20, 500, 3, "replay")
    assert "10/100 invoices" in out.getvalue()
    assert "lag 7, time left unknown" in out.getvalue()
    assert out.getvalue().count("\n") == 1
