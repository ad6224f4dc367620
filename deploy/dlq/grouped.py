"""Dead letters by what was wrong: one line for a fault, however many records had it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from api.ops.waiting import refused_row
from deploy.dlq.letter import Letter


@dataclass(frozen=True)
class Group:
    """Letters of one domain and reason: how many, and the newest of them."""

    domain: str
    reason: str
    count: int
    newest: Letter

    @property
    def refused_rows(self) -> bool:
        """Whether these are rows of files that an importer refused on purpose."""
        return refused_row(self.domain, self.reason)


def grouped(causes: Iterable[Sequence[Letter]]) -> list[Group]:
    """Return the groups, the largest first and refused rows after all others.

    Each cause (the letters of one record) counts once.
    """
    found: dict[tuple[str, str], list[Letter]] = {}
    for first, *_ in causes:
        found.setdefault((first.domain, first.reason), []).append(first)
    groups = [
        Group(domain, reason, len(letters), max(letters, key=lambda one: one.failed_at))
        for (domain, reason), letters in found.items()
    ]
    return sorted(groups, key=lambda each: (each.refused_rows, -each.count, each.domain, each.reason))
