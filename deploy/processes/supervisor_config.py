"""The supervisor's configuration file, written from the table of processes."""

import os
import resource
import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path

from deploy.processes.process import Process

_LOG_BYTES = 20 * 1024 * 1024
_LOG_FILES = 3
_OPEN_FILES = 65536
_SECONDS_TO_PROVE = 1
_RETRIES = 20


class UnwritableValueError(Exception):
    """A value cannot be written into the supervisor's configuration."""


def render(processes: Iterable[Process], run: Path, logs: Path, socket: Path) -> str:
    """Return the whole file: `run` takes pid and state, `logs` one rotated file per process.

    Raises UnwritableValueError for a value with both kinds of quotes, a line break or a comment sign.
    """
    sections = [
        _section("unix_http_server", {"file": str(socket), "chmod": "0700"}),
        _section(
            "supervisord",
            {
                "directory": str(run),
                "logfile": str(logs / "supervisor.log"),
                "logfile_maxbytes": str(_LOG_BYTES),
                "logfile_backups": str(_LOG_FILES),
                "pidfile": str(run / "supervisor.pid"),
                "minfds": str(_open_files()),
                "umask": "077",
                # Said aloud, or it warns at every start that nobody said it.
                **({"user": "root"} if os.geteuid() == 0 else {}),
            },
        ),
        _section(
            "rpcinterface:supervisor",
            {"supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"},
        ),
        *(_program(process, run, logs) for process in processes),
    ]
    return "\n".join(sections)


def _program(process: Process, run: Path, logs: Path) -> str:
    options = {
        "command": shlex.join(_gives_way(process.niceness) + process.command),
        "directory": str(process.directory or run),
        "autostart": "false",
        "autorestart": "true",
        "startsecs": str(_SECONDS_TO_PROVE),
        "startretries": str(_RETRIES),
        "stopsignal": process.stop_signal,
        "stopwaitsecs": str(process.stop_seconds),
        "killasgroup": "true",
        "redirect_stderr": "true",
        "stdout_logfile": str(logs / f"{process.name}.log"),
        "stdout_logfile_maxbytes": str(_LOG_BYTES),
        "stdout_logfile_backups": str(_LOG_FILES),
    }
    if process.environment:
        options["environment"] = _environment(process.environment)
    return _section(f"program:{process.name}", options)


def _gives_way(niceness: int) -> tuple[str, ...]:
    return ("nice", "-n", str(niceness)) if niceness else ()


def _section(name: str, options: Mapping[str, str]) -> str:
    lines = [f"[{name}]"]
    for option, value in options.items():
        if _breaks(value):
            raise UnwritableValueError(f"{name}: {option} holds a line break or a comment sign: {value!r}")
        lines.append(f"{option}={value.replace('%', '%%')}")
    return "\n".join(lines) + "\n"


def _environment(variables: Mapping[str, str]) -> str:
    pairs = []
    for name, value in sorted(variables.items()):
        # Named and not shown: it may be a password.
        if _breaks(value):
            raise UnwritableValueError(f"the variable {name} holds a line break or a comment sign")
        quote = "'" if '"' in value else '"'
        if quote in value:
            raise UnwritableValueError(f"the variable {name} holds both kinds of quotes")
        pairs.append(f"{name}={quote}{value}{quote}")
    return ",".join(pairs)


def _breaks(value: str) -> bool:
    """Tell whether the supervisor would read a value otherwise, or only in part."""
    return "\n" in value or " ;" in value or " #" in value


def _open_files() -> int:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _OPEN_FILES)
