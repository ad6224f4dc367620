"""A batch of writes as the operations of a bulk request, and the meaning of its answers. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum, auto
from typing import Any

from connectors.elasticsearch.index import Document, Patch, Write

# Elasticsearch runs a script on one document as one step; a noop costs no write.
_GUARDED_MERGE = """
if (ctx._source[params.guard] == null || ctx._source[params.guard] < params.version) {
  ctx._source.putAll(params.fields);
  ctx._source[params.guard] = params.version;
} else {
  ctx.op = 'noop';
}
"""
_CONFLICT = 409
_BAD_REQUEST = 400
_TOO_LARGE = 413
_RETRIES_ON_CONFLICT = 5


class Answer(Enum):
    """What an item's answer says of its write."""

    DONE = auto()
    REFUSED = auto()
    AGAIN = auto()


def newest(batch: Sequence[Iterable[Write]]) -> list[tuple[int, Write]]:
    """Return the highest version of each document and part, with the position of its entry in the batch."""
    best: dict[tuple[str, str, str], tuple[int, Write]] = {}
    for position, writes in enumerate(batch):
        for write in writes:
            key = (write.alias, write.id, write.guard if isinstance(write, Patch) else "")
            if key not in best or write.version > best[key][1].version:
                best[key] = (position, write)
    return list(best.values())


def operations(writes: Iterable[Write], targets: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the bulk request's lines; `targets` names the index to write to in place of an alias."""
    lines: list[dict[str, Any]] = []
    for write in writes:
        place = {"_index": targets.get(write.alias, write.alias), "_id": write.id}
        if isinstance(write, Document):
            lines += [
                {"index": {**place, "version": write.version, "version_type": "external"}},
                write.source,
            ]
        else:
            params = {"guard": write.guard, "version": write.version, "fields": write.fields}
            lines += [
                {"update": {**place, "retry_on_conflict": _RETRIES_ON_CONFLICT}},
                {
                    "script": {"source": _GUARDED_MERGE, "params": params},
                    "scripted_upsert": True,
                    "upsert": {},
                },
            ]
    return lines


def answer(write: Write, status: int) -> Answer:
    """Tell what the HTTP status of an item means for its write.

    A whole document meets a conflict where a higher version is stored: then it is done. A part meets one
    where others wrote the document all the time: then it is tried again.
    """
    if status < _BAD_REQUEST or (status == _CONFLICT and isinstance(write, Document)):
        return Answer.DONE
    return Answer.REFUSED if status in (_BAD_REQUEST, _TOO_LARGE) else Answer.AGAIN
