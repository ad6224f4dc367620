"""Ids and headers of outputs; partitions of keys."""

from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.envelope import output_id
from streams.kernel.dead_letters import dead_letter
from streams.kernel.layout import (
    OUTBOX,
    OWNER,
    WRITTEN,
    decode_outbox,
    decode_position,
    encode_outbox,
    encode_position,
    is_state,
    position_key,
)
from streams.kernel.memory import MemoryRecord
from streams.kernel.ports import Output
from topics.topic import dead_letters


@given(st.uuids(), st.text(max_size=20), st.integers(0, 10_000))
def test_an_output_s_id_is_the_uuid5_of_its_cause_and_place(cause: UUID, topic: str, index: int) -> None:
    assert output_id(str(cause), topic, index) == str(uuid5(cause, f"{topic}:{index}"))


@pytest.mark.parametrize("cause", ["", "12", "not-a-uuid", "0" * 34])
def test_a_cause_that_is_no_uuid_is_refused(cause: str) -> None:
    with pytest.raises(ValueError, match=r"UUID|hexadecimal"):
        output_id(cause, "t", 0)


@given(
    st.lists(
        st.builds(
            Output,
            st.text(),
            st.none() | st.binary(),
            st.none() | st.binary(),
            st.lists(st.tuples(st.text(), st.binary())).map(tuple),
        )
    )
)
def test_an_outbox_comes_back_byte_for_byte(outputs: list[Output]) -> None:
    assert decode_outbox(encode_outbox(outputs)) == tuple(outputs)


@given(st.integers(0, 2**63 - 1))
def test_a_position_comes_back(offset: int) -> None:
    assert decode_position(encode_position(offset)) == offset


def test_the_kernel_s_own_keys_are_no_states() -> None:
    assert not any(map(is_state, (OUTBOX, OWNER, WRITTEN, position_key("a.topic"), b"__faust\0offset__")))
    assert is_state(b"cart-1")


def test_a_dead_letter_bounds_its_stack_and_keeps_the_original_s_headers() -> None:
    record = MemoryRecord(
        "ecommerce.cart.add", 3, 7, b"k", b"v", (("traceparent", b"t"), ("error", b"old")), 0, 0
    )

    def deep(level: int) -> None:
        if level:
            deep(level - 1)
        raise RuntimeError("x" * 10_000)

    try:
        deep(100)
    except RuntimeError as error:
        letter = dead_letter(record, dead_letters("cart"), error, flow="cart", attempt=2, failed_at=5)
    headers = {name: value or b"" for name, value in letter.headers}
    assert (letter.topic, letter.key, letter.value) == ("ecommerce.dlq.cart", b"k", b"v")
    assert headers["traceparent"] == b"t"
    assert headers["reason"] == b"runtime"
    assert headers["attempt"] == b"2"
    assert len(headers["error"]) < len(headers["stack"]) < 10_000
    assert [name for name, _ in letter.headers].count("error") == 1


def test_a_record_that_was_sent_again_counts_its_attempts_on() -> None:
    record = MemoryRecord("ecommerce.cart.add", 3, 7, b"k", b"v", (("attempt", b"3"),), 0, 0)
    letter = dead_letter(record, dead_letters("cart"), ValueError("no"), flow="cart", attempt=2, failed_at=5)
    assert dict(letter.headers)["attempt"] == b"4"
