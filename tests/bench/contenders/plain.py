"""The steps as plain functions on plain dictionaries: what the baselines do with a message, in any framework.

It imports nothing of the platform: Quix Streams runs it in an environment of its own. A store is anything
with `get` and `set`. Messages carry the same fields as the platform's own, envelope included.
"""

from collections.abc import Callable
from hashlib import sha1
from typing import Any, Protocol
from uuid import UUID

Fields = dict[str, Any]
Out = tuple[str, str, Fields]
"""Where to (`answers` or `levels`), the key, and the fields."""

ANSWERS = "answers"
LEVELS = "levels"


class Store(Protocol):
    """The framework's table."""

    def get(self, key: str) -> Any:
        """Return what is stored, or None."""

    def set(self, key: str, value: Any) -> None:
        """Store a value."""


def stock(message: Fields, store: Store, now: Callable[[], int]) -> list[Out]:
    """Receive goods, or validate and reserve: decrement, record the reservation, answer, tell the level."""
    sku, data = message["aggregate_id"], message["data"]
    level = store.get(sku)
    if message["event_type"] == "receive":
        before = level or {"on_hand": 0, "reserved": 0, "version": 0}
        level = {**before, **data["facts"], "on_hand": before["on_hand"] + data["quantity"]}
        level["version"] = before["version"] + 1
        store.set(sku, level)
        return [(LEVELS, sku, _made(message, 0, sku, level["version"], now(), level))]
    order, asked = data["order_id"], sum(line["quantity"] for line in data["lines"])
    place = f"{sku}/{order}"
    held = store.get(place)
    if held is not None:
        return [(ANSWERS, order, _made(message, 0, order, 0, now(), {"sku": sku, "lines": held["lines"]}))]
    reason = _refusal(level, data, asked)
    if reason is not None:
        available = 0 if level is None else level["on_hand"] - level["reserved"]
        refused = {"sku": sku, "reason": reason, "requested": asked, "available": available}
        return [(ANSWERS, order, _made(message, 0, order, 0, now(), refused))]
    lines = [
        {
            "line_id": line["line_id"],
            "sku": sku,
            "name": level["name"],
            "quantity": line["quantity"],
            "unit_price": level["price"] if line["agreed_price"] is None else line["agreed_price"],
        }
        for line in data["lines"]
    ]
    level = {**level, "reserved": level["reserved"] + asked, "version": level["version"] + 1}
    store.set(sku, level)
    store.set(place, {"quantity": asked, "lines": lines})
    return [
        (ANSWERS, order, _made(message, 0, order, 0, now(), {"sku": sku, "lines": lines})),
        (LEVELS, sku, _made(message, 1, sku, level["version"], now(), level)),
    ]


def cart(message: Fields, store: Store, now: Callable[[], int]) -> list[Out]:
    """Add lines to a cart, once per command, and tell the whole cart."""
    key, data = message["aggregate_id"], message["data"]
    state = store.get(key) or {"version": 0, "lines": [], "applied": []}
    if message["event_id"] in state["applied"]:
        return []
    lines = {line["line_id"]: line for line in state["lines"]}
    for line in data["lines"]:
        if not 0 < line["quantity"] <= 1_000_000:
            return [(ANSWERS, key, _made(message, 0, key, state["version"], now(), {"reason": "quantity"}))]
        known = lines.get(line["line_id"])
        quantity = line["quantity"] + (known["quantity"] if known else 0)
        lines[line["line_id"]] = {**line, "quantity": quantity}
    state = {
        "version": state["version"] + 1,
        "status": "open",
        "updated_at": message["occurred_at"],
        "user_id": message["user_id"],
        "lines": list(lines.values()),
        "applied": [*state["applied"][-255:], message["event_id"]],
    }
    store.set(key, state)
    public = {name: value for name, value in state.items() if name not in {"applied", "version"}}
    return [(ANSWERS, key, _made(message, 0, key, state["version"], now(), public))]


STEPS: dict[str, Callable[[Fields, Store, Callable[[], int]], list[Out]]] = {"stock": stock, "cart": cart}


def _refusal(level: Fields | None, data: Fields, asked: int) -> str | None:
    if not data["lines"] or any(line["quantity"] <= 0 for line in data["lines"]):
        return "invalid_quantity"
    if level is None:
        return "unknown_sku"
    if not level["active"]:
        return "discontinued"
    if level["currency"] != data["currency"]:
        return "currency_mismatch"
    if asked > level["on_hand"] - level["reserved"]:
        return "out_of_stock"
    return None


def _made(  # noqa: PLR0917 - called once per output
    cause: Fields, index: int, key: str, version: int, now: int, data: Fields
) -> Fields:
    seed = bytes.fromhex(cause["event_id"].replace("-", "")) + str(index).encode()
    return {
        "event_id": str(UUID(bytes=sha1(seed, usedforsecurity=False).digest()[:16], version=5)),
        "event_type": "answer",
        "aggregate_id": key,
        "aggregate_type": "inventory",
        "aggregate_version": version,
        "occurred_at": now,
        "source": "baseline",
        "correlation_id": cause["correlation_id"],
        "causation_id": cause["event_id"],
        "tenant_id": cause["tenant_id"],
        "user_id": cause["user_id"],
        "data": data,
    }
