"""What is encoded in two halves is what the codec says of the whole, for every topic."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.cart import CartAdd, CartLine
from schemas.codec import encode
from schemas.siblings import Siblings
from tests.unit.schemas.test_compiled import messages
from topics.registry import CART_ADD, TOPICS


@settings(max_examples=15, deadline=None)
@given(data=st.data())
@pytest.mark.parametrize("name", sorted(TOPICS))
def test_a_sibling_s_bytes_are_those_of_its_message(name: str, data: st.DataObject) -> None:
    one = msgspec.structs.replace(data.draw(messages(name)), event_type=name)
    family = Siblings(
        one.occurred_at, one.source, one.correlation_id, one.causation_id, one.tenant_id, one.user_id
    )
    made = family.encode(
        name, one.aggregate_type, one.event_id, one.aggregate_id, one.aggregate_version, one.data
    )
    assert made == encode(name, one)


def test_what_does_not_fit_is_refused_as_the_codec_does() -> None:
    family = Siblings(0, "test", "c", None, "main", None)
    with pytest.raises(TypeError):
        family.encode(CART_ADD.name, "cart", "e", "k", 0, CartAdd((CartLine("l", "s", "two"),)))  # type: ignore[arg-type]
