"""Running a server's own preparing programs (format, initdb) to their end."""

import subprocess


class PreparationError(Exception):
    """A preparing program failed; the message ends with what it said."""


def run(command: tuple[str, ...], *, stdin: str = "") -> None:
    """Run a program to its end; raises PreparationError with its output where it fails."""
    ended = subprocess.run(  # noqa: S603 -- the command is ours
        # Not where we are: an unprivileged program may not enter it.
        command,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        umask=0o077,
    )
    if ended.returncode:
        said = (ended.stdout + ended.stderr).strip()
        raise PreparationError(f"{' '.join(command)} ended with status {ended.returncode}:\n{said}")
