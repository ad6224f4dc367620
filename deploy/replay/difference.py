"""Two outcomes of a replay, compared by topic, key and field, for people to read."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import msgspec

from deploy.replay.outcome import Line

_SHOWN = 60
_ABSENT = object()


@dataclass(frozen=True)
class Difference:
    """A message or state that differs: fields by path with (golden, now); both None where it is not there."""

    place: str
    key: str | None
    golden: Line | None
    now: Line | None
    fields: dict[str, tuple[str, str]]

    @property
    def verdict(self) -> str:
        """Return in a word what is different."""
        if self.golden is None:
            return "new"
        return "missing" if self.now is None else "changed"


def differences(golden: Sequence[Line], now: Sequence[Line]) -> list[Difference]:
    """Return what differs, by place and key in their golden order.

    Messages of one topic and key are paired by their ids, which are derived from their causes; those that are
    left are paired in their order. Across keys there is no order to compare, as on the broker.
    """
    stood, stands = _by_place(golden), _by_place(now)
    found = []
    for at in stood | stands:
        ranks = _ranks(stood.get(at, []), stands.get(at, []))
        for before, after in _pairs(stood.get(at, []), stands.get(at, [])):
            fields = _changed(before, after) | ranks.get(before.identity if before else None, {})
            if fields or before is None or after is None:
                found.append(Difference(*at, before, after, fields))
    return found


def report(found: Sequence[Difference], total: int, shown: int = _SHOWN) -> str:
    """Return the differences as text, `total` being the golden outcome's lines; at most `shown` in detail."""
    lines = []
    for one in found[:shown]:
        line = one.golden or one.now
        event = f" ({line.identity})" if line is not None and line.identity else ""
        lines.append(f"{one.verdict:<8}{one.place} {one.key}{event}")
        lines += [f"          {path}: {before} -> {after}" for path, (before, after) in one.fields.items()]
    if len(found) > shown:
        lines.append(f"... and {len(found) - shown} more")
    for place, count in sorted(Counter(one.place for one in found).items()):
        lines.append(f"{count:>8} {place}")
    touched = sum(one.golden is not None for one in found)
    lines.append(f"{len(found)} differences; {total - touched} of {total} golden lines are as they were")
    return "\n".join(lines)


def figures(one: Difference) -> dict[str, Any]:
    """Return a difference as plain data: its fields' values are JSON text."""
    line = one.golden or one.now
    fields = {path: {"golden": before, "now": after} for path, (before, after) in one.fields.items()}
    event_id = line.identity if line is not None else None
    return {
        "place": one.place,
        "key": one.key,
        "event_id": event_id,
        "verdict": one.verdict,
        "fields": fields,
    }


def _by_place(lines: Sequence[Line]) -> dict[tuple[str, str | None], list[Line]]:
    found: defaultdict[tuple[str, str | None], list[Line]] = defaultdict(list)
    for line in lines:
        found[line.place, line.key].append(line)
    return found


def _pairs(stood: list[Line], stands: list[Line]) -> Iterator[tuple[Line | None, Line | None]]:
    known = {line.identity: line for line in stands}
    left = [line for line in stood if line.identity not in known]
    ids = {line.identity for line in stood}
    yield from ((line, known[line.identity]) for line in stood if line.identity in known)
    yield from zip_longest(left, (line for line in stands if line.identity not in ids))


def _ranks(stood: list[Line], stands: list[Line]) -> dict[str | None, dict[str, tuple[str, str]]]:
    """Return the messages that come in another order among those that are in both."""
    both = {line.identity for line in stood} & {line.identity for line in stands} - {None}
    earlier = [line.identity for line in stood if line.identity in both]
    later = {line.identity: rank for rank, line in enumerate(one for one in stands if one.identity in both)}
    return {
        name: {"(order)": (f"#{rank}", f"#{later[name]}")}
        for rank, name in enumerate(earlier)
        if rank != later[name]
    }


def _changed(before: Line | None, after: Line | None) -> dict[str, tuple[str, str]]:
    if before is None or after is None:
        return {}
    stood, stands = dict(_leaves(before.fields)), dict(_leaves(after.fields))
    return {
        path: (_text(stood.get(path, _ABSENT)), _text(stands.get(path, _ABSENT)))
        for path in stood | stands
        if stood.get(path, _ABSENT) != stands.get(path, _ABSENT)
    }


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every leaf with its path, as in `data.lines[0].quantity`; empty parts are leaves too."""
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list) and value:
        for index, inner in enumerate(value):
            yield from _leaves(inner, f"{path}[{index}]")
    else:
        yield path, value


def _text(value: Any) -> str:
    return "(absent)" if value is _ABSENT else msgspec.json.encode(value).decode()
