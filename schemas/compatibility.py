"""BACKWARD_TRANSITIVE: a new schema must read what every committed version of its subject wrote.

The rules are Avro's schema resolution, as Apache Avro's own checker applies them.
"""

import json

from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType
from avro.schema import parse

from schemas.avro import Schema


def incompatibilities(reader: Schema, writer: Schema) -> list[str]:
    """Return why `reader` cannot read what `writer` wrote; empty where it can."""
    checker = ReaderWriterCompatibilityChecker()  # type: ignore[no-untyped-call] # avro ships partial types
    result = checker.get_compatibility(parse(json.dumps(reader)), parse(json.dumps(writer)))
    if result.compatibility is SchemaCompatibilityType.compatible:
        return []
    reasons = zip(sorted(result.locations), sorted(result.messages), strict=False)
    return [f"{location}: {message}" for location, message in reasons]
