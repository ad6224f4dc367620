"""The dataflow's tables by their changelog topic, to read state from where it is kept durable."""

from typing import Any

import msgspec

from streams.kernel.layout import OUTBOX, decode_outbox, is_state, split_part
from tables import gathered
from tables.table import Table

TABLES: dict[str, Table[Any]] = {table.changelog.name: table for table in gathered.TABLES.values()}


def plain(topic: str, key: bytes | None, value: bytes) -> Any:
    """Return a changelog record's value as plain data: a state, a part, the outbox, the kernel's text.

    Raises msgspec.DecodeError where the bytes are not what the key says.
    """
    if key is None or is_state(key):
        return msgspec.to_builtins(TABLES[topic].decode(value), enc_hook=len)
    if split_part(key):
        return msgspec.to_builtins(TABLES[topic].decode_part(value))
    if key == OUTBOX:
        return [
            {"topic": output.topic, "key": None if output.key is None else output.key.decode()}
            for output in decode_outbox(value)
        ]
    return value.decode("utf-8", "backslashreplace")
