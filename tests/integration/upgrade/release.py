"""The next release, made of this one: a field more in every order event, and an event type that is new.

It is a copy of the packages, which stands first on the `PYTHONPATH` of its processes: they are as separate
from this release's as on two machines. Its schemas are committed by its own `ecommerce schemas update`.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parents[3]
PACKAGES = ("api", "connectors", "deploy", "schemas", "sinks", "streams", "tables", "topics")
GREETED = "ecommerce.cart.greeted"
GIFT_NOTE = "with love"

_GREETED_TYPE = '''class CartGreeted(msgspec.Struct, frozen=True):
    """Lines came."""

    lines: int


class CartUpdated('''

_GREETED_TOPIC = f"""CART_GREETED = Topic("{GREETED}", cart.CartGreeted, "cart_id", Kind.EVENT, "cart")
CART_ABANDONED = """

_GREETING = """from dataclasses import replace

from schemas.cart import CartGreeted
from streams.kernel.flow import Out
from topics.cart import CART_GREETED


def greeted(state, message):
    made = decide.add(POLICY, state, message)
    said = Out(CART_GREETED, message.aggregate_id, CartGreeted(len(message.data.lines)))
    return replace(made, outputs=(*made.outputs, said))


FLOW = Flow(
    name="cart","""

_LAST_FIELDS = "    sku: str | None = None\n    tracking: str | None = None\n"
_PLACED = "        status=OrderStatus.PLACED,\n"

# (file, text that stands there once, what takes its place)
CHANGES = (
    ("schemas/order.py", _LAST_FIELDS, f"{_LAST_FIELDS}    gift_note: str | None = None\n"),
    ("streams/order/decide.py", _PLACED, f'{_PLACED}        gift_note="{GIFT_NOTE}",\n'),
    ("schemas/cart.py", "class CartUpdated(", _GREETED_TYPE),
    ("topics/cart.py", "CART_ABANDONED = ", _GREETED_TOPIC),
    ("streams/cart/agent.py", 'FLOW = Flow(\n    name="cart",', _GREETING),
    (
        "streams/cart/agent.py",
        "Route(CART_ADD, partial(decide.add, POLICY), (*_EDITED, CART_ABSORB))",
        "Route(CART_ADD, greeted, (*_EDITED, CART_ABSORB, CART_GREETED))",
    ),
)


def next_release(into: Path) -> Path:
    """Make the next release in a directory and return it."""
    for package in PACKAGES:
        shutil.copytree(HERE / package, into / package, ignore=shutil.ignore_patterns("__pycache__"))
    for name, before, after in CHANGES:
        file = into / name
        text = file.read_text()
        assert text.count(before) == 1, (
            f"{name} has changed: {before!r} stands there {text.count(before)} times"
        )
        file.write_text(text.replace(before, after))
    return into


def run(release: Path, *arguments: str, **environment: str) -> str:
    """Run a command of a release and return what it printed."""
    done = subprocess.run(
        [Path(sys.executable).with_name("ecommerce"), *arguments],
        env={**os.environ, "PYTHONPATH": str(release), **environment},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, f"ecommerce {' '.join(arguments)}\n{done.stdout}\n{done.stderr}"
    return done.stdout
