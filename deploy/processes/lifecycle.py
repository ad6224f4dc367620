"""Starting, stopping and wiping the platform: functions for the command line, the demo and tests alike."""

import shutil
import threading
from contextlib import suppress
from pathlib import Path

from confluent_kafka import KafkaException
from elasticsearch import ApiError, TransportError
from rich.console import Console

from deploy.embedded.cache import exclusive
from deploy.embedded.directory import DirectoryError, close
from deploy.errors import CommandError
from deploy.processes import leftovers
from deploy.processes.display import Display
from deploy.processes.order import among, in_order, ordered, reverse
from deploy.processes.ports import PortTakenError, refuse, taken
from deploy.processes.process import Process
from deploy.processes.spans import check_all
from deploy.processes.start import Starter
from deploy.processes.status import present_workers
from deploy.processes.supervisor import Supervisor, SupervisorError
from deploy.processes.supervisor_config import UnwritableValueError
from deploy.processes.table import DEFAULT_WORKERS, SERVERS, platform, variables
from deploy.processes.wanted import want, want_nothing
from sinks.drop import drop_indices
from streams.spans import SettingsConflictError
from topics.admin import PartitionsChangedError, refuse_other_partitions
from topics.credentials import KafkaLoginError
from topics.login import refuse_wrong_login
from topics.redaction import shown
from topics.settings import Settings

_MARKER = ".ecommerce-data"


def up(
    settings: Settings,
    *,
    servers_only: bool = False,
    workers: int | None = None,
    console: Console | None = None,
) -> dict[str, float]:
    """Start what does not run, wait until it serves, and return the seconds of each step by name.

    `workers` None keeps the present number of workers. Raises CommandError where settings do not go together
    or a port is taken (before anything is started), or a step fails; what was started until then stays up.
    """
    try:
        check_all()
    except SettingsConflictError as error:
        raise CommandError(str(error)) from error
    root = settings.data_dir.absolute()
    supervisor = Supervisor(root)
    _claim(settings)
    with exclusive(root / "up.lock"):
        steps = platform(settings, workers or present_workers(supervisor) or DEFAULT_WORKERS)
        processes = [step for step in steps.values() if isinstance(step, Process)]
        if not supervisor.is_running:
            leftovers.stop(root, processes)
        wanted = {name: step for name, step in steps.items() if not servers_only or name in SERVERS}
        running = {name for name, info in supervisor.infos().items() if info.state.is_up}
        try:
            if settings.kafka or "kafka" in running:
                # Before processes that run are started again with it.
                _refuse_other_partitions(settings)
            refuse(taken(p for p in processes if p.name in wanted.keys() - running), settings.port_base)
            supervisor.apply(processes)
        except (PartitionsChangedError, PortTakenError, SupervisorError, UnwritableValueError) as error:
            raise CommandError(str(error)) from error
        want(supervisor.run, (name for name, step in wanted.items() if isinstance(step, Process)))
        needs = {name: step.after for name, step in wanted.items()}
        titles = [(name, wanted[name].title) for name in ordered(needs)]
        with Display(console or Console(stderr=True), titles) as display:
            starter = Starter(supervisor, display, variables(settings))
            in_order(needs, lambda name, cancelled: starter.start(wanted[name], cancelled))
        return display.seconds


def down(settings: Settings, *, console: Console | None = None) -> dict[str, float]:
    """Stop everything, first what nothing depends on, and return the seconds of each stop by name.

    Does nothing where nothing runs.
    """
    root = settings.data_dir.absolute()
    supervisor = Supervisor(root)
    steps = platform(settings, present_workers(supervisor))
    want_nothing(supervisor.run)
    if not supervisor.is_running:
        processes = [step for step in steps.values() if isinstance(step, Process)]
        return dict.fromkeys(leftovers.stop(root, processes), 0.0)
    running = [name for name, info in supervisor.infos().items() if info.state.is_up]
    # A process starts after tasks, which do not run now: it stops before what those needed.
    needs = reverse(among({name: step.after for name, step in steps.items()}, running))
    titles = [(name, steps[name].title if name in steps else name) for name in ordered(needs)]
    with Display(console or Console(stderr=True), titles) as display:

        def stop(name: str, _cancelled: threading.Event) -> None:
            display.work(name, "stopping")
            supervisor.stop(name)
            display.finish(name, "stopped")

        in_order(needs, stop)
        supervisor.shutdown()
    return display.seconds


def reset(settings: Settings, *, console: Console | None = None) -> Path:
    """Stop everything, delete all state, and return the directory that was emptied.

    The platform's indices in an external Elasticsearch go, too: views of topics that are gone would mix with
    the next ones. Raises CommandError where the directory is not one that `up` made, or where that
    Elasticsearch does not answer.
    """
    root = settings.data_dir.absolute()
    down(settings, console=console)
    if settings.elasticsearch:
        _drop_indices(settings.elasticsearch)
    if not root.exists():
        return root
    _refuse_foreign(root)
    for entry in root.iterdir():
        if entry.name == _MARKER:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    return root


def _drop_indices(url: str) -> None:
    try:
        drop_indices(url)
    except (ApiError, TransportError) as error:
        raise CommandError(
            f"ECOMMERCE_ELASTICSEARCH: {shown(url)} does not answer, and its indices must go as well;"
            " start it, or reset without the setting"
        ) from error


def _refuse_other_partitions(settings: Settings) -> None:
    # One that does not answer is asked again once it serves, before topics are created.
    try:
        refuse_wrong_login(settings)
        with suppress(KafkaException):
            refuse_other_partitions(settings)
    except KafkaLoginError as error:
        # The embedded one may be of a version without passwords, and is started again with them.
        if settings.kafka:
            raise CommandError(str(error)) from error


def _claim(settings: Settings) -> None:
    root = settings.data_dir.absolute()
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    _refuse_foreign(root)
    (root / _MARKER).touch()
    try:
        close(settings)
    except DirectoryError as error:
        raise CommandError(str(error)) from error


def _refuse_foreign(root: Path) -> None:
    # What `reset` deletes must be ours: a wrong ECOMMERCE_DATA_DIR must not cost somebody's home.
    if not (root / _MARKER).exists() and any(root.iterdir()):
        raise CommandError(
            f"{root} holds files that are not the platform's: set ECOMMERCE_DATA_DIR to an empty directory"
        )
