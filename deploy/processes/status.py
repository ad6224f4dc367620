"""The state of every process: is it there, since when, how big, and does it serve."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

import psutil

from deploy.processes.endings import complaint, endings
from deploy.processes.process import External, NotReadyError, Process, Step
from deploy.processes.signs import Signs
from deploy.processes.supervisor import Info, State, Supervisor
from deploy.processes.table import DEFAULT_WORKERS, SERVERS, platform
from deploy.processes.wanted import wanted
from topics.redaction import redacted
from topics.settings import Settings


@dataclass(frozen=True)
class Row:
    """One process. `memory_bytes` is the proportional share (PSS) of it and its children, 0 where unknown."""

    name: str
    title: str
    state: str
    pid: int
    uptime_s: int
    memory_bytes: int
    address: str
    healthy: bool
    detail: str
    wanted: bool = False
    """Whether it should run: it was started, and not stopped by `down`."""


def status(settings: Settings) -> list[Row]:
    """Return the state of every process and external server of the table."""
    supervisor = Supervisor(settings.data_dir)
    infos = supervisor.infos()
    workers = present_workers(supervisor) or DEFAULT_WORKERS
    steps = [s for s in platform(settings, workers).values() if isinstance(s, Process | External)]
    should = wanted(supervisor.run)
    signs = Signs(settings, _that_answer(steps, infos))
    with ThreadPoolExecutor(len(steps) + 1) as pool:
        listening = pool.submit(signs.listen)
        rows = list(pool.map(lambda step: _row(step, infos.get(step.name), step.name in should), steps))
        ended = endings(supervisor.log, datetime.now())  # noqa: DTZ005 -- as the log has it
        listening.result()
    return [_restless(_heard(row, signs), ended[row.name]) for row in rows]


def present_workers(supervisor: Supervisor) -> int:
    """Return how many workers the supervisor knows; 0 where it does not run."""
    return sum(name.startswith("worker-") for name in supervisor.infos())


def is_healthy(rows: list[Row]) -> bool:
    """Tell whether something runs and all that was started, and not stopped by `down`, serves."""
    started = [row for row in rows if row.wanted or row.state not in {"stopped", "external"}]
    external = [row for row in rows if row.state == "external"]
    return bool(started) and all(row.healthy for row in (*started, *external))


def _that_answer(steps: list[Process | External], infos: Mapping[str, Info]) -> dict[str, int]:
    """Return the running processes that answer pings, with their ids: all but the servers."""
    return {
        step.name: infos[step.name].pid
        for step in steps
        if isinstance(step, Process)
        and step.name not in {*SERVERS, "provider"}
        and step.name in infos
        and infos[step.name].state is State.RUNNING
    }


def _heard(row: Row, signs: Signs) -> Row:
    """Return the row with what its process says of itself."""
    if not row.healthy or not signs.asks(row.name):
        return row
    try:
        signs.require(row.name)
    except NotReadyError as error:
        return replace(row, healthy=False, detail=str(error))
    return row


def _restless(row: Row, ended: int) -> Row:
    """Return the row with how often its process ended of late."""
    told = complaint(ended)
    return replace(row, healthy=False, detail=told) if row.healthy and told else row


def _row(step: Process | External, info: Info | None, should: bool) -> Row:  # noqa: FBT001 -- one of three
    if isinstance(step, External):
        state, pid, uptime = "external", 0, 0
    else:
        state = info.state.name.lower() if info else "stopped"
        pid, uptime = (info.pid, info.uptime_s) if info else (0, 0)
    runs = isinstance(step, External) or (info is not None and info.state is State.RUNNING)
    if runs:
        detail = suspended(pid) or _complaint(step)
    elif info and info.state is not State.STOPPED:
        detail = info.description
    else:
        detail = "it was started and does not run any more; `ecommerce up` starts it" if should else ""
    return Row(
        name=step.name,
        title=step.title,
        state=state,
        pid=pid,
        uptime_s=uptime,
        memory_bytes=memory(pid) if pid else 0,
        address=step.address,
        healthy=runs and not detail,
        detail=redacted(detail),
        wanted=should,
    )


def suspended(pid: int) -> str:
    """Return what is wrong with a process that was sent SIGSTOP: it holds its ports and does nothing."""
    if pid:
        with suppress(psutil.Error):
            if psutil.Process(pid).status() == psutil.STATUS_STOPPED:
                return "it is suspended (SIGSTOP); SIGCONT lets it go on"
    return ""


def _complaint(step: Step) -> str:
    ready = getattr(step, "ready", None)
    if ready is None:
        return ""
    try:
        ready()
    except NotReadyError as error:
        return str(error)
    return ""


def memory(pid: int) -> int:
    """Return the proportional memory of a process and its children in bytes, so that shared pages count once.

    Falls back on the resident size where the system does not show the share.
    """
    total = 0
    with suppress(psutil.Error):
        head = psutil.Process(pid)
        for process in (head, *head.children(recursive=True)):
            try:
                total += process.memory_full_info().pss
            except psutil.AccessDenied:
                total += process.memory_info().rss
            except psutil.NoSuchProcess:
                continue
    return total
