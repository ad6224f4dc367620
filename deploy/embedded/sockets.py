"""Looking at TCP ports: whether anybody listens, and whether we may."""

import socket

from deploy.processes.process import NotReadyError

_CONNECT_SECONDS = 1.0


def connects(host: str, port: int) -> None:
    """Return when something accepts connections at the address; raise NotReadyError where not."""
    try:
        with socket.create_connection((host, port), timeout=_CONNECT_SECONDS):
            return
    except OSError as error:
        raise NotReadyError(f"nothing listens at {host}:{port} ({error.strerror or error})") from error


def bindable(host: str, port: int) -> bool:
    """Tell whether a server of ours could listen at the address."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        # As servers do: a port in TIME_WAIT after a restart is not a taken port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True
