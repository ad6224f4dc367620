import pytest

from deploy.errors import CommandError
from deploy.tap.selection import select

KNOWN = ["ecommerce.order.placed", "ecommerce.order.confirmed", "ecommerce.cart.add", "elsewhere"]


@pytest.mark.parametrize(
    ("patterns", "topics"),
    [
        (["order.placed"], ["ecommerce.order.placed"]),
        (["ecommerce.order.placed"], ["ecommerce.order.placed"]),
        (["order.*"], ["ecommerce.order.confirmed", "ecommerce.order.placed"]),
        (["order."], ["ecommerce.order.confirmed", "ecommerce.order.placed"]),
        (["cart.add", "elsewhere"], ["ecommerce.cart.add", "elsewhere"]),
        (["cart.*", "cart.add"], ["ecommerce.cart.add"]),
    ],
)
def test_selects(patterns: list[str], topics: list[str]) -> None:
    assert select(patterns, KNOWN) == topics


def test_suggests_what_may_have_been_meant() -> None:
    with pytest.raises(
        CommandError, match=r"no topic is called order\.place \(did you mean order\.placed\?\)"
    ):
        select(["order.place"], KNOWN)
