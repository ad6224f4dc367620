import io

from rich.console import Console

from deploy.processes.display import Display


def shown(*, terminal: bool) -> str:
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=100, color_system=None)
    with Display(console, [("kafka", "Kafka"), ("redis", "Redis"), ("api", "API")]) as display:
        display.work("kafka", "downloading", 10_500_000, 45_000_000)
        display.finish("kafka", "127.0.0.1:19000")
        display.work("redis", "starting")
        display.fail("redis", "failed")
        display.work("api", "starting")
    return out.getvalue()


def test_away_from_a_terminal_each_finished_step_is_a_line() -> None:
    lines = [line.split() for line in shown(terminal=False).splitlines()]
    assert lines[0][:3] == ["…", "Kafka:", "downloading"]
    assert lines[1][:3] == ["✓", "Kafka", "127.0.0.1:19000"]
    assert lines[2][:3] == ["✗", "Redis", "failed"]
    assert len(lines) == 3


def test_on_a_terminal_what_was_not_finished_is_given_up() -> None:
    shows_cursor = "\x1b[?25h"
    frame = shown(terminal=True).replace(shows_cursor, "").splitlines()[-3:]
    assert "✓" in frame[0]
    assert "✗" in frame[1]
    assert "given up" in frame[2]


def test_the_seconds_of_finished_steps_are_kept() -> None:
    with Display(Console(file=io.StringIO()), [("a", "A"), ("b", "B")]) as display:
        display.work("a", "starting")
        display.finish("a", "")
    assert set(display.seconds) == {"a"}
    assert display.seconds["a"] >= 0
