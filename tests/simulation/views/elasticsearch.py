"""Elasticsearch in memory, for the bulk requests that the real sink makes."""

from typing import Any

import msgspec

from connectors.elasticsearch.sink import LARGEST_BYTES, ElasticsearchSink
from tests.simulation.effects import effect

_DONE, _CONFLICT = 200, 409
_GUARD = "ctx._source[params.guard] < params.version"

Documents = dict[str, dict[str, dict[str, Any]]]
"""Documents by index and id."""


class Client:
    """The client as the sink uses it: documents under external versions, parts under their own guard."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    async def bulk(self, *, operations: list[bytes], **_: Any) -> dict[str, Any]:
        """Carry a bulk request out; the answer has one item per operation."""
        await effect("flush: sent")
        lines = [msgspec.json.decode(line) for line in operations]
        items = [self._carry_out(lines[at], lines[at + 1]) for at in range(0, len(lines), 2)]
        await effect("flush: acknowledged")
        return {"items": items}

    def _carry_out(self, action: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
        (name, place), *_ = action.items()
        index = self._documents.setdefault(place["_index"], {})
        known = index.get(place["_id"])
        if name == "index":
            guarded = place.get("version_type") == "external"
            if guarded and known is not None and known["version"] >= place["version"]:
                return {name: {"status": _CONFLICT, "error": {"reason": "version conflict"}}}
            index[place["_id"]] = body
            return {name: {"status": _DONE}}
        params = body["script"]["params"]
        source = index.setdefault(place["_id"], {})
        stored = source.get(params["guard"])
        if _GUARD not in body["script"]["source"] or stored is None or stored < params["version"]:
            source.update(params["fields"])
            source[params["guard"]] = params["version"]
        return {name: {"status": _DONE}}


class MemoryElasticsearchSink(ElasticsearchSink):
    """The real sink over the documents in memory."""

    def __init__(self, documents: Documents) -> None:
        self._client: Any = Client(documents)
        self._declared = ()
        self._targets = {}
        self._created = True
        self._size = LARGEST_BYTES

    async def close(self) -> None:
        """Disconnect."""
