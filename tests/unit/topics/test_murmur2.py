from aiokafka.partitioner import murmur2 as reference
from confluent_kafka import murmur2
from hypothesis import given
from hypothesis import strategies as st


@given(key=st.binary(max_size=400), partitions=st.integers(1, 1_000))
def test_librdkafka_and_aiokafka_put_a_key_into_the_same_partition(key: bytes, partitions: int) -> None:
    assert murmur2(key, partitions) == (reference(key) & 0x7FFFFFFF) % partitions
