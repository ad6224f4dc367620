r"""The keys in a table's store and changelog: the states', their parts', and the kernel's own.

A state has the key of its records. NUL is in no such key, so it sets the others apart. A part has its state's
key, NUL and its name. The kernel's own begin with NUL:
- `\0position\0<topic>`: offset (ASCII) of the last record of that source topic that is part of the state;
- `\0topic\0<topic>`: the id of that source topic, to which the position belongs (none in older states);
- `\0outbox`: the outputs of the last batch (MessagePack), re-sent after a crash;
- `\0owner`: who writes this partition since when; each owner's first append, for people and for fencing;
- `\0written`: when (ms, ASCII) the local store was last written; only in the store.
"""

from collections.abc import Sequence

import msgspec

from streams.kernel.ports import Output

NUL = b"\x00"
OUTBOX = b"\x00outbox"
OWNER = b"\x00owner"
WRITTEN = b"\x00written"
FAUST_OFFSET = b"__faust\0offset__"
_POSITION = b"\x00position\x00"
_TOPIC = b"\x00topic\x00"

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(tuple[Output, ...])


def position_key(topic: str) -> bytes:
    """Return the key under which the applied position of a source topic is kept."""
    return _POSITION + topic.encode()


def topic_key(topic: str) -> bytes:
    """Return the key under which the id of a source topic is kept."""
    return _TOPIC + topic.encode()


def encode_position(offset: int) -> bytes:
    """Return a position's bytes."""
    return str(offset).encode()


def decode_position(value: bytes) -> int:
    """Return the offset that `encode_position` wrote."""
    return int(value)


def encode_outbox(outputs: Sequence[Output]) -> bytes:
    """Return the outbox record of a batch's outputs."""
    return _encoder.encode(outputs)


def decode_outbox(value: bytes) -> tuple[Output, ...]:
    """Return the outputs, byte for byte as they were first sent."""
    return _decoder.decode(value)


def part_key(key: bytes, name: str) -> bytes:
    """Return the key of a state's part."""
    return key + NUL + name.encode()


def is_state(key: bytes) -> bool:
    """Tell a state's key from its parts', the kernel's and Faust's."""
    return NUL not in key


def split_part(key: bytes) -> tuple[bytes, str] | None:
    """Return a part's state key and name, or None where the key is no part's."""
    state, nul, name = key.partition(NUL)
    return (state, name.decode()) if state and nul and key != FAUST_OFFSET else None
