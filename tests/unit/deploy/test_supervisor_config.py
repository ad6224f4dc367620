import configparser
import shlex
from pathlib import Path

import pytest

from deploy.processes.process import Process
from deploy.processes.supervisor_config import UnwritableValueError, render

RUN, LOGS, SOCKET = Path("/data/run"), Path("/data/logs"), Path("/data/run/s.sock")


def parsed(*processes: Process) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(inline_comment_prefixes=(";", "#"))
    parser.read_string(render(processes, RUN, LOGS, SOCKET))
    return parser


def test_a_process_becomes_a_kept_alive_program() -> None:
    process = Process(
        name="kafka", title="Kafka", command=("java", "-cp", "a b"), stop_signal="INT", stop_seconds=60
    )
    program = parsed(process)["program:kafka"]
    assert shlex.split(program["command"]) == ["java", "-cp", "a b"]
    assert program["autorestart"] == "true"
    assert program["autostart"] == "false"
    assert (program["stopsignal"], program["stopwaitsecs"]) == ("INT", "60")
    assert program["stdout_logfile"] == "/data/logs/kafka.log"


def test_a_process_that_gives_way_is_started_so() -> None:
    process = Process(name="sink", title="Sinks", command=("ecommerce", "sink"), niceness=5)
    assert shlex.split(parsed(process)["program:sink"]["command"]) == ["nice", "-n", "5", "ecommerce", "sink"]


def test_percent_signs_and_quotes_survive() -> None:
    dsn = "postgresql://u:p%40ss@h/d"
    process = Process(name="api", title="API", command=("api",), environment={"DSN": dsn, "Q": 'say "hi"'})
    written = parsed(process)["program:api"]["environment"]
    assert written == 'DSN="postgresql://u:p%%40ss@h/d",Q=\'say "hi"\''


@pytest.mark.parametrize("value", ["two\nlines", "a ;comment", "a #comment"])
def test_a_value_that_would_be_read_otherwise_is_refused(value: str) -> None:
    process = Process(name="api", title="API", command=("api",), environment={"X": value})
    with pytest.raises(UnwritableValueError, match="variable X") as refused:
        render([process], RUN, LOGS, SOCKET)
    # It may be a password.
    assert value not in str(refused.value)
    process = Process(name="api", title="API", command=("api",), directory=Path(value))
    with pytest.raises(UnwritableValueError, match="directory"):
        render([process], RUN, LOGS, SOCKET)


def test_a_value_with_both_kinds_of_quotes_is_refused() -> None:
    process = Process(name="api", title="API", command=("api",), environment={"X": "'\""})
    with pytest.raises(UnwritableValueError, match="variable X"):
        render([process], RUN, LOGS, SOCKET)
