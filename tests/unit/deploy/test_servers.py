"""What the embedded servers are told, as commands; that they do it, the integration tests show."""

from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.embedded.kafka import kafka
from deploy.embedded.postgres import postgres, without_password
from deploy.embedded.redis import redis
from deploy.processes.process import External, Process
from topics.settings import Settings

Server = Callable[[Settings], Process | External]


@pytest.mark.parametrize("server", [kafka, postgres, redis])
def test_a_shop_open_to_all_networks_keeps_its_servers_on_loopback(server: Server) -> None:
    process = server(Settings(host="0.0.0.0", expose=True))
    assert isinstance(process, Process)
    assert process.host == "127.0.0.1"
    assert not any("0.0.0.0" in part for part in process.command)


@pytest.mark.parametrize("server", [kafka, postgres, redis])
def test_two_copies_share_neither_port_nor_directory(server: Server) -> None:
    one = server(Settings(port_base=20000, data_dir=Path("/one")))
    other = server(Settings(port_base=21000, data_dir=Path("/other")))
    assert isinstance(one, Process)
    assert isinstance(other, Process)
    assert not set(one.ports) & set(other.ports)
    assert not any("/one" in part for part in other.command)


def test_an_external_address_is_not_started() -> None:
    outside = Settings(
        kafka="k1:9092,k2:9092", postgres="postgresql://u:secret@db:5433/shop", redis="redis://cache:6379/3"
    )
    servers = [kafka(outside), postgres(outside), redis(outside)]
    assert all(isinstance(server, External) for server in servers)
    assert [server.address for server in servers] == [
        "k1:9092,k2:9092",
        "db:5433/shop",
        "redis://cache:6379/3",
    ]


def test_a_dsn_is_shown_without_its_password() -> None:
    assert without_password("postgresql://u:secret@db/shop") == "db:5432/shop"
