import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.cart import CartAdd, CartLine
from schemas.codec import UndecodableError, decode_fields, writer_of
from topics import registry
from topics.command import command
from topics.wire import decode, encode

LINES = st.lists(
    st.builds(
        CartLine,
        line_id=st.text(max_size=20),
        sku=st.text(max_size=20),
        quantity=st.integers(-(2**31), 2**31),
        agreed_price=st.none() | st.integers(0, 2**40),
    ),
    max_size=5,
)


@given(lines=LINES, user=st.none() | st.text(max_size=10))
def test_what_is_encoded_comes_back(lines: list[CartLine], user: str | None) -> None:
    message = command(registry.CART_ADD, "cart-1", CartAdd(lines=tuple(lines)), user_id=user)
    assert decode(registry.CART_ADD, encode(registry.CART_ADD, message)) == message


@given(junk=st.binary(max_size=200))
def test_any_bytes_decode_or_say_why_not(junk: bytes) -> None:
    with pytest.raises(UndecodableError, match="value: "):
        decode(registry.CART_ADD, junk)


def encoded() -> bytes:
    return encode(registry.CART_ADD, command(registry.CART_ADD, "c", CartAdd(lines=(CartLine("l", "s", 1),))))


@given(cut=st.integers(0, len(encoded()) - 1))
def test_a_truncated_record_is_undecodable(cut: int) -> None:
    with pytest.raises(UndecodableError):
        decode(registry.CART_ADD, encoded()[:cut])


def test_trailing_bytes_are_refused() -> None:
    with pytest.raises(UndecodableError, match="3 bytes follow"):
        decode(registry.CART_ADD, encoded() + b"abc")


def test_another_topics_schema_is_refused() -> None:
    with pytest.raises(
        UndecodableError, match=r"belongs to ecommerce\.cart\.add, not to ecommerce\.cart\.clear"
    ):
        decode(registry.CART_CLEAR, encoded())


def test_an_unknown_schema_id_is_named() -> None:
    with pytest.raises(UndecodableError, match="schema id 99999 is not in the registry"):
        decode(registry.CART_ADD, struct.pack(">bI", 0, 99999))


def test_a_wrong_magic_byte_is_named() -> None:
    with pytest.raises(UndecodableError, match="magic byte is 1"):
        decode(registry.CART_ADD, b"\x01" + encoded()[1:])


def test_any_record_can_be_read_without_its_topic() -> None:
    assert writer_of(encoded()).topic == registry.CART_ADD.name
    assert decode_fields(encoded())["data"]["lines"][0]["sku"] == "s"
