"""A database on a disk of its own that is soon full: a tablespace on a tmpfs."""

import os
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from deploy.embedded.privileges import account, give_away
from tests.stack import Stack
from topics.credentials import Role


@contextmanager
def tiny_disk(stack: Stack, directory: Path, megabytes: int) -> Iterator[str]:
    """Create an empty database there and give its DSN; skip the test where no file system may be mounted."""
    stack.postgres()
    directory.mkdir()
    options = f"size={megabytes}m,mode=0700"
    mount = ["mount", "-t", "tmpfs", "-o", options, "tiny", str(directory)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("no file system may be mounted here: a full disk cannot be provoked")
    name = f"test_{uuid.uuid4().hex}"
    label, owner = sql.Identifier(name), sql.Identifier(Role.OWNER)
    try:
        give_away(directory, account(stack.settings.data_dir))
        with psycopg.connect(stack.postgres_admin, autocommit=True) as connection:
            connection.execute(
                sql.SQL("CREATE TABLESPACE {} LOCATION {}").format(label, sql.Literal(str(directory)))
            )
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {} TABLESPACE {}").format(label, owner, label)
            )
            try:
                yield stack.settings.postgres_dsn.rsplit("/", 1)[0] + f"/{name}"
            finally:
                # The server, which others use as well, has pages left to write before it lets go.
                room = ["mount", "-o", f"remount,size={10 * megabytes}m", str(directory)]
                subprocess.run(room, check=True)
                connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(label))
                connection.execute(sql.SQL("DROP TABLESPACE {}").format(label))
    finally:
        subprocess.run(["umount", "--lazy", str(directory)], check=True)
