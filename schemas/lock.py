"""The schema lock: ids assigned once, append only, each with its committed `.avsc`.

An id that stands on the wire but not in the lock was assigned by another release, which runs beside this one
or has run before it: `source` is asked for its schema.

`registry.lock` has a line per schema: id, subject, version, SHA-256 of the `.avsc` file. A subject is
`<topic>-value`, Confluent's TopicNameStrategy.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from schemas.avro import Schema

HERE = Path(__file__).parent


class LockError(Exception):
    """The lock file and the committed schemas do not fit together."""


class Foreign(NamedTuple):
    """A schema of another release."""

    subject: str
    version: int
    schema: Schema


Source = Callable[[int], Foreign | None]


@dataclass(frozen=True)
class Entry:
    """One schema: its id on the wire, its subject, the subject's version, and the file's checksum."""

    id: int
    subject: str
    version: int
    checksum: str

    @property
    def topic(self) -> str:
        """Return the topic that the subject belongs to."""
        return self.subject.removesuffix("-value")


def subject(topic: str) -> str:
    """Return the subject of a topic's values."""
    return f"{topic}-value"


def text_of(schema: Schema) -> str:
    """Return the schema as it stands in its file."""
    return json.dumps(schema, indent=2) + "\n"


class Lock:
    """The ids and schemas committed under `root`. Raises LockError where a line or a file is wrong."""

    def __init__(self, root: Path = HERE) -> None:
        self.root = root
        self.path = root / "registry.lock"
        self.source: Source | None = None
        self._foreign: dict[int, Schema] = {}
        self.entries: list[Entry] = [self._entry(line) for line in self._lines()]
        for expected, entry in enumerate(self.entries, start=1):
            if entry.id != expected:
                raise LockError(f"{self.path}: id {entry.id} stands where {expected} must: append only")

    def _lines(self) -> list[str]:
        return self.path.read_text().splitlines() if self.path.exists() else []

    def _entry(self, line: str) -> Entry:
        try:
            number, name, version, checksum = line.split()
            return Entry(int(number), name, int(version), checksum)
        except ValueError as error:
            raise LockError(f"{self.path}: not 'id subject version checksum': {line!r}") from error

    @cached_property
    def by_id(self) -> "EntriesById":
        """Entries by id; looking up one that is not here asks `source`, and KeyError says it is nowhere."""
        return EntriesById({entry.id: entry for entry in self.entries}, self._ask)

    @cached_property
    def by_subject(self) -> dict[str, list[Entry]]:
        """Each subject's entries, oldest version first."""
        found: dict[str, list[Entry]] = {}
        for entry in self.entries:
            found.setdefault(entry.subject, []).append(entry)
        return found

    def latest(self, topic: str) -> Entry:
        """Return the newest entry of a topic. Raises LockError where the topic has none."""
        try:
            return self.by_subject[subject(topic)][-1]
        except KeyError:
            raise LockError(
                f"{topic} has no schema in {self.path.name}: run `ecommerce schemas update`"
            ) from None

    def file_of(self, entry: Entry) -> Path:
        """Return the path of an entry's `.avsc`."""
        return self.root / "avsc" / entry.topic / f"{entry.version}.avsc"

    def schema(self, entry: Entry) -> Schema:
        """Return an entry's schema. Raises LockError where the file is not the one that was locked."""
        if entry.id in self._foreign:
            return self._foreign[entry.id]
        path = self.file_of(entry)
        text = path.read_text() if path.exists() else ""
        if sha256(text.encode()).hexdigest() != entry.checksum:
            raise LockError(
                f"{path} is not the file that {self.path.name} locked: committed versions never change"
            )
        schema: Schema = json.loads(text)
        return schema

    def append(self, topic: str, schema: Schema) -> Entry:
        """Assign the next id to a new version of a topic's schema and write both files."""
        text = text_of(schema)
        version = len(self.by_subject.get(subject(topic), [])) + 1
        entry = Entry(len(self.entries) + 1, subject(topic), version, sha256(text.encode()).hexdigest())
        path = self.file_of(entry)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        with self.path.open("a") as lock:
            lock.write(f"{entry.id} {entry.subject} {entry.version} {entry.checksum}\n")
        self.entries.append(entry)
        self.__dict__.pop("by_id", None)
        self.__dict__.pop("by_subject", None)
        return entry

    def _ask(self, schema_id: int) -> Entry:
        found = self.source(schema_id) if self.source else None
        if found is None:
            raise KeyError(schema_id)
        self._foreign[schema_id] = found.schema
        checksum = sha256(text_of(found.schema).encode()).hexdigest()
        return Entry(schema_id, found.subject, found.version, checksum)


class EntriesById(dict[int, Entry]):
    """The lock's entries, and those of other releases once they were asked for."""

    def __init__(self, entries: Mapping[int, Entry], ask: Callable[[int], Entry]) -> None:
        super().__init__(entries)
        self._ask = ask

    def __missing__(self, schema_id: int) -> Entry:
        self[schema_id] = found = self._ask(schema_id)
        return found


@lru_cache
def lock() -> Lock:
    """Return the committed lock, read once."""
    return Lock()
