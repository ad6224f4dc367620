"""Whether the ports that a start needs are free, and who has them where they are not."""

from collections.abc import Iterable
from dataclasses import dataclass

import psutil

from deploy.embedded.sockets import bindable
from deploy.processes.process import Process


class PortTakenError(Exception):
    """A port that a process needs belongs to another process."""


@dataclass(frozen=True)
class Taken:
    """A port in use: which of ours needs it, and who has it (empty where the system does not tell)."""

    port: int
    needed_by: str
    owner: str


def taken(processes: Iterable[Process]) -> list[Taken]:
    """Return the ports of these processes on which something listens already."""
    return [
        Taken(port, process.title, owner(port))
        for process in processes
        for port in process.ports
        if not bindable(process.host, port)
    ]


def refuse(found: list[Taken], port_base: int) -> None:
    """Raise PortTakenError where any port is taken; the message names the setting that moves all ports."""
    if not found:
        return
    lines = [
        f"port {each.port} ({each.needed_by}) is taken by {each.owner or 'a process of another user'}"
        for each in found
    ]
    lines.append(
        f"stop that, or move all ports with ECOMMERCE_PORT_BASE (now {port_base}); nothing was started"
    )
    raise PortTakenError("\n".join(lines))


def owner(port: int) -> str:
    """Return name and id of the process that listens on a local TCP port; empty where it cannot be seen."""
    try:
        connections = psutil.net_connections(kind="tcp")
    except psutil.AccessDenied:
        return ""
    for connection in connections:
        if connection.status != psutil.CONN_LISTEN or not connection.laddr or not connection.pid:
            continue
        if connection.laddr[1] == port:
            try:
                return f"{psutil.Process(connection.pid).name()} (process {connection.pid})"
            except psutil.NoSuchProcess:
                return ""
    return ""
