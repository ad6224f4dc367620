"""A batch of writes as the operations of a bulk request, and the meaning of its answers. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum, auto
from typing import Any
from zlib import crc32

from connectors.elasticsearch.index import Deletion, Patch, Write

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
_NOT_FOUND = 404
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


def lanes(writes: Sequence[tuple[int, Write]], count: int) -> list[list[tuple[int, Write]]]:
    """Return the writes divided into at most `count` parts; those of one document stay together, in order."""
    divided: list[list[tuple[int, Write]]] = [[] for _ in range(count)]
    for each in writes:
        divided[crc32(each[1].id.encode()) % count].append(each)
    return [lane for lane in divided if lane]


def operation(write: Write, targets: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return a write's lines; `targets` names the index to write to in place of an alias."""
    place = {"_index": targets.get(write.alias, write.alias), "_id": write.id}
    if isinstance(write, Patch):
        params = {"guard": write.guard, "version": write.version, "fields": write.fields}
        return [
            {"update": {**place, "retry_on_conflict": _RETRIES_ON_CONFLICT}},
            {
                "script": {"source": _GUARDED_MERGE, "params": params},
                "scripted_upsert": True,
                "upsert": {},
            },
        ]
    guarded = {**place, "version": write.version, "version_type": "external"}
    return [{"delete": guarded}] if isinstance(write, Deletion) else [{"index": guarded}, write.source]


def requests(operations: Iterable[list[bytes]], size: int) -> Iterator[list[list[bytes]]]:
    """Yield the operations as requests of at most `size` bytes; one that is larger goes alone."""
    request: list[list[bytes]] = []
    held = 0
    for lines in operations:
        # Each line ends with a newline.
        needed = sum(len(line) + 1 for line in lines)
        if request and held + needed > size:
            yield request
            request, held = [], 0
        request.append(lines)
        held += needed
    if request:
        yield request


def answer(write: Write, status: int, *, missing_index: bool = False) -> Answer:
    """Tell what the HTTP status of an item means for its write.

    A whole document, or its end, meets a conflict where a higher version is stored: then it is done. A part
    meets one where others wrote the document all the time: then it is tried again. What is not there is
    deleted; Elasticsearch says so, and remembers the version.
    """
    if status < _BAD_REQUEST or (status == _CONFLICT and not isinstance(write, Patch)):
        return Answer.DONE
    if status == _NOT_FOUND and isinstance(write, Deletion) and not missing_index:
        return Answer.DONE
    return Answer.REFUSED if status in (_BAD_REQUEST, _TOO_LARGE) else Answer.AGAIN
