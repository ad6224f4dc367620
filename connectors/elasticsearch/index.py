"""The declaration of an index, and what a sink writes into it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple


@dataclass(frozen=True)
class Index:
    """An index that is always spoken to by its alias, so that a rebuilt one can take its place."""

    alias: str
    mappings: Mapping[str, Any]
    settings: Mapping[str, Any]
    changeable: Mapping[str, Any] = field(default_factory=dict)
    """Settings that an open index takes, as `refresh_interval`: another value needs no other index."""

    @property
    def declaration(self) -> str:
        """Return a digest of how documents are kept; an index keeps the one it was made by in its `_meta`."""
        said = json.dumps([self.mappings, self.settings], sort_keys=True)
        return hashlib.sha256(said.encode()).hexdigest()[:16]

    @property
    def body(self) -> dict[str, Any]:
        """Return what an index of this declaration is made of."""
        mappings = {**self.mappings, "_meta": {"declaration": self.declaration}}
        return {"mappings": mappings, "settings": {**self.settings, **self.changeable}}

    @property
    def first(self) -> str:
        """Return the name of the index that the alias stands for at first."""
        return f"{self.alias}-000001"


class Document(NamedTuple):
    """A whole document: it replaces the stored one where `version` is higher (an external version)."""

    alias: str
    id: str
    version: int
    source: dict[str, Any]


class Patch(NamedTuple):
    """A part of a document that has a version of its own, kept in the document's field `guard`.

    Parts that come from different aggregates arrive in any order: each guards only itself, and the first to
    come makes the document.
    """

    alias: str
    id: str
    guard: str
    version: int
    fields: dict[str, Any]


class Deletion(NamedTuple):
    """The end of a whole document: it goes where `version` is higher, and no lower one brings it back.

    Elasticsearch remembers the version for as long as the index's `gc_deletes` says.
    """

    alias: str
    id: str
    version: int


Write = Document | Patch | Deletion
