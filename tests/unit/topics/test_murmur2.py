from aiokafka.partitioner import murmur2 as reference
from hypothesis import given
from hypothesis import strategies as st

from topics.murmur2 import murmur2


@given(key=st.binary(max_size=400))
def test_it_is_the_hash_of_kafka(key: bytes) -> None:
    assert murmur2(key) == reference(key) & 0xFFFFFFFF
