"""Doing harm to the platform's processes: kill -9, SIGSTOP and SIGCONT, clean stops and starts."""

import shutil
import signal
from contextlib import suppress
from pathlib import Path

import psutil

from deploy.processes.supervisor import State, Supervisor
from tests.stack import Child
from topics.settings import Settings

GONE_S = 30.0


class Victims:
    """The processes by name, each with its children; Elasticsearch, where there is one, is our own child."""

    def __init__(self, settings: Settings, elasticsearch: Child | None = None) -> None:
        self._root = settings.data_dir.absolute()
        self._supervisor = Supervisor(self._root)
        self._elasticsearch = elasticsearch

    def kill(self, name: str) -> None:
        """Kill at once (SIGKILL). The supervisor starts it again."""
        for process in self._tree(name):
            with suppress(psutil.NoSuchProcess):
                process.kill()

    def revive(self, name: str) -> None:
        """Start what nobody starts again by itself."""
        if name == "elasticsearch" and self._elasticsearch is not None:
            self._elasticsearch.process.wait(GONE_S)
            self._elasticsearch.start()

    def pause(self, name: str) -> list[psutil.Process]:
        """Stop the process where it stands (SIGSTOP); return what `resume` takes."""
        tree = self._tree(name)
        for process in tree:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGSTOP)
        return tree

    def resume(self, tree: list[psutil.Process]) -> None:
        """Let it go on (SIGCONT)."""
        for process in tree:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGCONT)

    def remove(self, name: str) -> None:
        """Kill at once and keep it down."""
        self.kill(name)
        self._supervisor.stop(name)

    def leave(self, name: str) -> None:
        """Stop cleanly and keep it down."""
        self._supervisor.stop(name)

    def join(self, name: str) -> None:
        """Start what is down."""
        self._supervisor.start(name)

    def forget(self, name: str) -> None:
        """Delete a worker's local state; it must be down."""
        shutil.rmtree(self.state(name))

    def state(self, name: str) -> Path:
        """Return where a worker keeps its local state."""
        return self._root / name

    def stopped(self) -> list[str]:
        """Return the processes that do not run."""
        infos = self._supervisor.infos()
        return sorted(name for name, info in infos.items() if info.state is not State.RUNNING)

    def workers(self) -> list[str]:
        """Return the names of all workers."""
        return sorted(name for name in self._supervisor.infos() if name.startswith("worker-"))

    def memory_bytes(self, name: str) -> int:
        """Return the resident memory of a process and its children."""
        total = 0
        for process in self._tree(name):
            with suppress(psutil.NoSuchProcess):
                total += process.memory_info().rss
        return total

    def _tree(self, name: str) -> list[psutil.Process]:
        """Return a process and its children; it may have ended by itself a moment ago."""
        if name == "elasticsearch":
            pid = self._elasticsearch.process.pid if self._elasticsearch else 0
        else:
            pid = self._supervisor.info(name).pid
        with suppress(psutil.NoSuchProcess):
            if pid:
                head = psutil.Process(pid)
                return [head, *head.children(recursive=True)]
        return []
