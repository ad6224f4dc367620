"""An environment for Quix Streams: its pins (confluent-kafka, pydantic) exclude the platform's own."""

import subprocess
import sys
from pathlib import Path

from deploy.embedded.cache import cache_dir, exclusive

REQUIREMENT = "quixstreams==3.28.1"


def interpreter() -> Path:
    """Return the Python of an environment with Quix Streams, made on first use."""
    room = cache_dir() / REQUIREMENT.replace("==", "-")
    python, done = room / "bin" / "python", room / "done"
    with exclusive(room.with_suffix(".lock")):
        if not done.exists():
            uv = (sys.executable, "-m", "uv")
            subprocess.run([*uv, "venv", "--quiet", "--clear", "--python", sys.executable, room], check=True)
            subprocess.run([*uv, "pip", "install", "--quiet", "--python", python, REQUIREMENT], check=True)
            done.touch()
    return python
