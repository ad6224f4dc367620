"""Which record is meant, and who is to leave it."""

from typing import Any

import pytest

from deploy.dlq.skipping import consumer_of, place_of, skip
from deploy.errors import CommandError
from deploy.topology.gather import components
from topics.registry import CART_ADD, PAYMENT_INSTRUCT, PRODUCT_CREATED
from topics.settings import Settings
from topics.topic import Topic


def test_a_place_is_a_topic_a_partition_and_an_offset_or_none() -> None:
    assert place_of("ecommerce.cart.add/3/42") == ("ecommerce.cart.add", 3, 42)
    assert place_of("ecommerce.cart.add/3") == ("ecommerce.cart.add", 3, None)


@pytest.mark.parametrize("text", ["", "t", "t/", "t/x", "t/-1", "t/1/2/3", "/1/2"])
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(CommandError, match="TOPIC/PARTITION/OFFSET"):
        place_of(text)


def test_the_only_reader_need_not_be_named() -> None:
    readers = components()
    assert consumer_of(readers, CART_ADD.name, None).name == "cart"
    assert consumer_of(readers, PAYMENT_INSTRUCT.name, "payment-gateway").group
    with pytest.raises(CommandError, match="several readers: --consumer is one of "):
        consumer_of(readers, PRODUCT_CREATED.name, None)
    with pytest.raises(CommandError, match=r"nope does not read .* is one of cart"):
        consumer_of(readers, CART_ADD.name, "nope")


@pytest.mark.parametrize(
    ("topic", "name"), [(PAYMENT_INSTRUCT, "payment-gateway"), (PRODUCT_CREATED, "postgres")]
)
def test_of_who_works_on_several_records_the_offset_has_to_be_named(topic: Topic[Any], name: str) -> None:
    reader = consumer_of(components(), topic.name, name)
    with pytest.raises(CommandError, match=f"{name} works on several records at once: name the offset"):
        skip(Settings(), f"{topic.name}/2", reader, "ada", "it stops")
