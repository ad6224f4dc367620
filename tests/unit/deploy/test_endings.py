"""A process that ends again and again is no healthy one, however well it looks in between."""

from datetime import datetime, timedelta
from pathlib import Path

from deploy.processes.endings import MOST, WINDOW, complaint, endings

NOW = datetime(2026, 3, 1, 12, 0, 0)  # noqa: DTZ001 -- local, as the log


def log(tmp_path: Path, *told: tuple[float, str]) -> Path:
    """Write a log of the supervisor's: seconds before now, and what it says."""
    lines = [f"{NOW - timedelta(seconds=ago):%Y-%m-%d %H:%M:%S},123 {text}" for ago, text in told]
    (path := tmp_path / "supervisor.log").write_text("\n".join(lines))
    return path


def test_what_ended_unasked_of_late_is_counted(tmp_path: Path) -> None:
    long_ago = WINDOW.seconds + 1
    path = log(
        tmp_path,
        (long_ago, "WARN exited: worker-0 (exit status 1; not expected)"),
        (60, "WARN exited: worker-0 (exit status 1; not expected)"),
        (50, "INFO spawned: 'worker-0' with pid 9"),
        (40, "WARN exited: worker-0 (terminated by SIGKILL; not expected)"),
        (30, "WARN exited: sink (exit status 0; expected)"),
    )
    assert endings(path, NOW)["worker-0"] == 2
    assert endings(path, NOW)["sink"] == 0


def test_it_begins_anew_where_somebody_stopped_it(tmp_path: Path) -> None:
    ended = "WARN exited: sink (exit status 1; not expected)"
    other = "WARN exited: api (exit status 1; not expected)"
    stopped = log(tmp_path, (60, ended), (55, other), (50, "INFO stopped: sink (exit status 0)"), (40, ended))
    assert endings(stopped, NOW) == {"sink": 1, "api": 1}
    assert not endings(log(tmp_path, (60, ended), (50, "INFO supervisord started with pid 7")), NOW)


def test_without_a_log_nothing_ended(tmp_path: Path) -> None:
    assert not endings(tmp_path / "none.log", NOW)


def test_some_endings_are_no_complaint_and_a_loop_is_one() -> None:
    assert not complaint(MOST)
    assert complaint(30) == "it ended 30 times in 5 minutes and was started again: its log says why"
