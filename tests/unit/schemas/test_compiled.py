"""The compiled codecs say what the general ones say, for every topic, or leave it to them."""

import enum
import inspect
from collections.abc import Callable
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import codec
from schemas.bounds import bare
from schemas.codec import UndecodableError
from schemas.decoder import _more
from schemas.encoder import long
from schemas.envelope import Message
from topics.registry import TOPICS

SCALARS: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(max_size=200),
    int: st.integers(-(2**63), 2**63 - 1) | st.integers(-200, 200),
    bool: st.booleans(),
    float: st.floats(allow_nan=False),
    bytes: st.binary(max_size=200),
}


def values(of: Any) -> st.SearchStrategy[Any]:
    of = bare(of)
    origin, args = get_origin(of), get_args(of)
    if of in SCALARS:
        return SCALARS[of]
    if origin in (Union, UnionType):
        (other,) = [arg for arg in args if arg is not NoneType]
        return st.none() | values(other)
    if origin is tuple:
        return st.lists(values(args[0]), max_size=4).map(tuple)
    if origin is dict:
        return st.dictionaries(SCALARS[str], values(args[1]), max_size=4)
    if inspect.isclass(of) and issubclass(of, enum.Enum):
        return st.sampled_from(of)
    return st.builds(of, **{field.name: values(field.type) for field in msgspec.structs.fields(of)})


def messages(name: str) -> st.SearchStrategy[Message[Any]]:
    envelope = {
        field.name: values(field.type) for field in msgspec.structs.fields(Message) if field.name != "data"
    }
    return st.builds(Message, **envelope, data=values(TOPICS[name].data))


@pytest.mark.parametrize("name", sorted(TOPICS))
def test_every_topic_has_compiled_codecs(name: str) -> None:
    assert codec._decoder(name, TOPICS[name].data) is not None


@settings(max_examples=15, deadline=None)
@given(data=st.data())
@pytest.mark.parametrize("name", sorted(TOPICS))
def test_compiled_and_general_codecs_agree(name: str, data: st.DataObject) -> None:
    message = data.draw(messages(name))
    value = codec._encoder(name)(message)
    assert value == codec._encode_generally(name, message)
    compiled = codec._decoder(name, TOPICS[name].data)
    assert compiled is not None
    assert value.startswith(compiled[0])
    assert compiled[1](value, len(compiled[0])) == codec._decode_generally(name, TOPICS[name].data, value)


@settings(max_examples=15, deadline=None)
@given(data=st.data())
@pytest.mark.parametrize("name", sorted(TOPICS))
def test_damaged_records_are_judged_alike(name: str, data: st.DataObject) -> None:
    value = bytearray(codec.encode(name, data.draw(messages(name))))
    for _ in range(data.draw(st.integers(1, 3))):
        value[data.draw(st.integers(0, len(value) - 1))] = data.draw(st.integers(0, 255))
    kind = TOPICS[name].data
    assert _judged(lambda: codec.decode(name, kind, bytes(value))) == _judged(
        lambda: codec._decode_generally(name, kind, bytes(value))
    )


def _judged(decode: Callable[[], Any]) -> Any:
    try:
        return decode()
    except UndecodableError as error:
        return str(error)


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1])
def test_a_number_beyond_64_bits_is_no_long(value: int) -> None:
    with pytest.raises(OverflowError):
        long(value)


@pytest.mark.parametrize("value", ["two", 2.5, None])
def test_what_is_no_number_is_refused_at_once(value: Any) -> None:
    with pytest.raises(TypeError):
        long(value)


def test_a_number_of_more_than_64_bits_is_left_to_the_general_decoder() -> None:
    most = bytes([0xFF] * 9 + [0x01])
    assert _more(most, 0) == (-(2**63), 10)
    for beyond in (bytes([0xFF] * 9 + [0x02]), bytes([0xFF] * 9 + [0x80, 0x00])):
        with pytest.raises(OverflowError):
            _more(beyond, 0)
