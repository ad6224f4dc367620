"""Holding a contender's outputs to what stock may do: nothing oversold, nothing lost, levels that add up."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from tests.bench.contest import Came
from tests.bench.step import InvariantError
from topics.registry import INVENTORY_UPDATED, TOPICS
from topics.wire import decode

_json = msgspec.json.Decoder()


class Ledger:
    """What one contender has accepted so far, by SKU, and its last levels."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._accepted: Counter[str] = Counter()
        self._levels: dict[str, tuple[int, int, int]] = {}

    def levels(self, came: Iterable[Came]) -> None:
        """Take in levels; a higher version is the later one."""
        for topic, key, value in came:
            if self._is_level(topic):
                fields = self._fields(topic, value)
                data = fields["data"]
                level = (fields["aggregate_version"], data["on_hand"], data["reserved"])
                sku = key.decode()
                self._levels[sku] = max(self._levels.get(sku, (0, 0, 0)), level)

    def check(self, came: Sequence[Came], keys: Sequence[str]) -> None:
        """Account for one round's outputs to a command per key. Raises InvariantError."""
        if self._name == "raw":
            return
        self.levels(came)
        answered: Counter[str] = Counter()
        orders = set()
        for topic, key, value in came:
            if self._is_level(topic):
                continue
            data = self._fields(topic, value)["data"]
            answered[data["sku"]] += 1
            orders.add(key)
            self._accepted[data["sku"]] += sum(line["quantity"] for line in data.get("lines", ()))
        if answered != Counter(keys) or len(orders) != len(keys):
            raise InvariantError(f"{self._name}: the answers are not one per command")
        for sku in answered:
            _, on_hand, reserved = self._levels[sku]
            if not reserved == self._accepted[sku] <= on_hand:
                accepted = self._accepted[sku]
                raise InvariantError(
                    f"{self._name}: {sku} has {on_hand} pieces, {reserved} reserved, {accepted} accepted"
                )

    def _is_level(self, topic: str) -> bool:
        return topic == INVENTORY_UPDATED.name or topic.endswith("-levels")

    def _fields(self, topic: str, value: bytes) -> Any:
        if self._name == "candidate":
            return msgspec.to_builtins(decode(TOPICS[topic], value))
        return _json.decode(value)
