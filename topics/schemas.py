"""The registry's message types against the committed schemas: what is new, and whether it may be."""

import msgspec

from schemas.avro import message_schema
from schemas.compatibility import incompatibilities
from schemas.lock import Entry, Lock, subject, text_of
from topics.registry import TOPICS
from topics.topic import Topic


def stale(lock: Lock) -> list[Topic[msgspec.Struct]]:
    """Return the topics whose types differ from their newest committed schema, or have none."""
    return [
        topic
        for topic in TOPICS.values()
        if not (versions := lock.by_subject.get(subject(topic.name)))
        or text_of(lock.schema(versions[-1])) != text_of(message_schema(topic.name, topic.data))
    ]


def violations(lock: Lock) -> list[str]:
    """Return where BACKWARD_TRANSITIVE does not hold, over the committed versions and today's types."""
    found = []
    for topic in TOPICS.values():
        committed = lock.by_subject.get(subject(topic.name), [])
        schemas = [lock.schema(entry) for entry in committed] + [message_schema(topic.name, topic.data)]
        for newer, reader in enumerate(schemas):
            for older, writer in enumerate(schemas[:newer]):
                found += [
                    f"{topic.name}: v{newer + 1} cannot read v{older + 1}: {reason}"
                    for reason in incompatibilities(reader, writer)
                ]
    return found


def update(lock: Lock) -> list[Entry]:
    """Commit a new version for every stale topic.

    Raises ValueError, and writes nothing, where one of them could not read what is in the topics.
    """
    if broken := violations(lock):
        raise ValueError("\n".join(broken))
    return [lock.append(topic.name, message_schema(topic.name, topic.data)) for topic in stale(lock)]
