r"""The kernel's own keys in a table's store and changelog, beside the states.

All begin with a NUL byte, which no key of the platform has:
- `\0position\0<topic>`: offset (ASCII) of the last record of that source topic that is part of the state;
- `\0outbox`: the outputs of the last batch (MessagePack), re-sent after a crash;
- `\0owner`: who writes this partition since when; each owner's first append, for people and for fencing;
- `\0written`: when (ms, ASCII) the local store was last written; only in the store.
"""

from collections.abc import Sequence

import msgspec

from streams.kernel.ports import Output

RESERVED = b"\x00"
OUTBOX = b"\x00outbox"
OWNER = b"\x00owner"
WRITTEN = b"\x00written"
FAUST_OFFSET = b"__faust\0offset__"
_POSITION = b"\x00position\x00"

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(tuple[Output, ...])


def position_key(topic: str) -> bytes:
    """Return the key under which the applied position of a source topic is kept."""
    return _POSITION + topic.encode()


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


def is_state(key: bytes) -> bool:
    """Tell a table's own keys from the kernel's and Faust's."""
    return not key.startswith(RESERVED) and key != FAUST_OFFSET
