import os
import socket

import pytest

from deploy.processes.ports import PortTakenError, Taken, owner, refuse, taken
from deploy.processes.process import Process


def test_a_listener_is_found_with_its_owner() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        process = Process(name="api", title="API", command=("api",), ports=(port,))
        found = taken([process])
        assert [(each.port, each.needed_by) for each in found] == [(port, "API")]
        assert f"(process {os.getpid()})" in owner(port)
    assert taken([process]) == []


def test_the_refusal_names_port_owner_and_setting() -> None:
    with pytest.raises(PortTakenError) as refused:
        refuse([Taken(19002, "PostgreSQL", "postgres (process 7)"), Taken(19003, "Redis", "")], 19000)
    first, second, last = str(refused.value).splitlines()
    assert first == "port 19002 (PostgreSQL) is taken by postgres (process 7)"
    assert second == "port 19003 (Redis) is taken by a process of another user"
    assert "ECOMMERCE_PORT_BASE (now 19000)" in last


def test_free_ports_are_not_refused() -> None:
    refuse([], 19000)
