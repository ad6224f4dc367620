import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from deploy.errors import CommandError
from deploy.processes import commands, lifecycle
from deploy.processes.status import Row
from topics.settings import Settings

RUNNING = Row("kafka", "Kafka", "running", 7, 3725, 250_000_000, "127.0.0.1:19000", healthy=True, detail="")
STOPPED = Row("redis", "Redis", "stopped", 0, 0, 0, "redis://127.0.0.1:19003/0", healthy=False, detail="")
SICK = Row("api", "API", "backoff", 0, 0, 0, "", healthy=False, detail="Exited too quickly [/x]")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    chosen = Settings(data_dir=tmp_path / "data")
    monkeypatch.setattr(commands, "settings", lambda: chosen)
    return chosen


def invoke(*arguments: str, answer: str = "") -> Result:
    return CliRunner().invoke(commands.app, arguments, input=answer, env={"COLUMNS": "120"})


def shows(monkeypatch: pytest.MonkeyPatch, *rows: Row) -> None:
    monkeypatch.setattr(commands, "read_status", lambda _settings: list(rows))


@pytest.mark.usefixtures("run")
def test_status_shows_each_process_and_succeeds_where_all_that_runs_is_well(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shows(monkeypatch, RUNNING, STOPPED)
    result = invoke("status")
    assert result.exit_code == 0
    kafka = next(line.split() for line in result.output.splitlines() if "Kafka" in line)
    assert kafka == ["✓", "Kafka", "running", "7", "1", "h", "02", "min", "250", "MB", "127.0.0.1:19000"]


@pytest.mark.usefixtures("run")
def test_status_fails_and_says_why_where_one_is_sick(monkeypatch: pytest.MonkeyPatch) -> None:
    shows(monkeypatch, RUNNING, SICK)
    result = invoke("status")
    assert result.exit_code == 1
    assert "API: Exited too quickly [/x]" in result.output


@pytest.mark.usefixtures("run")
def test_status_as_json_is_one_object_on_the_last_line(monkeypatch: pytest.MonkeyPatch) -> None:
    shows(monkeypatch, RUNNING, SICK)
    result = invoke("status", "--json")
    answer = json.loads(result.stdout.splitlines()[-1])
    assert answer["healthy"] is False
    assert [each["name"] for each in answer["processes"]] == ["kafka", "api"]
    assert answer["processes"][0]["memory_bytes"] == 250_000_000


def test_reset_asks_and_a_no_deletes_nothing(run: Settings) -> None:
    run.data_dir.mkdir()
    (run.data_dir / "kept").touch()
    result = invoke("reset", answer="n\n")
    assert isinstance(result.exception, CommandError)
    assert (run.data_dir / "kept").exists()


@pytest.mark.usefixtures("run")
def test_down_where_nothing_runs_is_no_error() -> None:
    result = invoke("down", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout.splitlines()[-1])["stopped"] == []
    assert "nothing was running" in result.output


@pytest.mark.usefixtures("run")
def test_an_interrupted_start_says_what_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_arguments: object, **_options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(lifecycle, "up", interrupted)
    result = invoke("up")
    assert isinstance(result.exception, CommandError)
    assert result.exception.exit_code == 130
    assert "what was started stays up" in str(result.exception)
