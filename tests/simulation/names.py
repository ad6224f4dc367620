"""Names for people: ids of the simulated shop by what they are, topics without their prefix."""

from dataclasses import dataclass, field


@dataclass
class Names:
    """The names that the workload has given to its ids."""

    known: dict[str, str] = field(default_factory=dict)

    def key(self, key: bytes | str | None) -> str:
        """Return a key in words."""
        text = key.decode(errors="replace") if isinstance(key, bytes) else str(key)
        return self.known.get(text, text)

    def topic(self, name: str) -> str:
        """Return a topic's short name."""
        return name.removeprefix("ecommerce.")

    def topics(self, names: list[str]) -> str:
        """Return several topics in words, each with how often it occurs."""
        counts: dict[str, int] = {}
        for name in names:
            counts[name] = counts.get(name, 0) + 1
        told = [self.topic(name) + (f" x{count}" if count > 1 else "") for name, count in counts.items()]
        return ", ".join(told) or "nothing"

    def spoken(self, text: str) -> str:
        """Return a text with ids replaced by their names."""
        for known, name in self.known.items():
            text = text.replace(known, name)
        return text
