"""What a cart's form asks for, whoever else changed the cart meanwhile."""

import pytest

from api.cart.models import Cart, CartItem
from api.cart.quantities import Changes, Wish, changes, fault, shortages, told
from api.pages.rendering import fragment
from api.problems import Problem
from schemas.cart import CartStatus


def item(line_id: str, quantity: int = 1, *, available: int = 100, on_sale: bool = True) -> CartItem:
    return CartItem(
        line_id=line_id,
        sku=line_id,
        quantity=quantity,
        name=f"Name of {line_id}",
        unit_price=100,
        line_total=100 * quantity,
        available=available,
        on_sale=on_sale,
    )


def cart(*items: CartItem) -> Cart:
    return Cart(
        cart_id=None,
        status=CartStatus.OPEN,
        items=list(items),
        pieces=0,
        subtotal=0,
        total=0,
        currency="GBP",
        order_id=None,
        version=1,
        updated_at=None,
    )


@pytest.mark.parametrize(
    ("wish", "quantities", "faulty"),
    [
        (Wish("A", "2", "2"), {}, False),
        (Wish("A", "2", " 3 "), {"A": 3}, False),
        (Wish("A", "2", "0"), {"A": 0}, False),
        # Another tab has set 5: who typed 5 has what they want, who typed nothing leaves it.
        (Wish("A", "2", "5"), {}, False),
        (Wish("A", "2", "9" * 400), {"A": 2**31 - 1}, False),
        (Wish("A", "2", "-1"), {}, True),
        (Wish("A", "2", "1.5"), {}, True),
        (Wish("A", "2", "²"), {}, True),
        (Wish("A", "2", ""), {}, True),
        (Wish("gone", "2", "3"), {}, False),
    ],
)
def test_only_what_was_typed_is_asked_for(wish: Wish, quantities: dict[str, int], *, faulty: bool) -> None:
    found = changes(cart(item("A", 5)), [wish])
    assert (found.quantities, bool(found.faults)) == (quantities, faulty)


@pytest.mark.parametrize(
    ("reason", "detail", "said"),
    [
        ("invalid_quantity", "a line has 1 to 500 pieces, not 900", "At most 500 of Name of A"),
        ("invalid_quantity", "too many", "Not so many of Name of A"),
        ("cart_frozen", "", "being bought right now"),
        ("unknown_line", "", "not in your cart any more"),
        ("other", "", "could not be changed; your cart still has 2"),
    ],
)
def test_a_refusal_is_told_by_name(reason: str, detail: str, said: str) -> None:
    assert said in fault(Problem(409, detail, reason=reason), item("A", 2))


def test_what_was_done_is_told() -> None:
    stands = cart(item("A", 2), item("B"))
    done = Changes({"A": 3, "B": 0, "gone": 1})
    assert told(stands, done.quantities) == "3 \N{MULTIPLICATION SIGN} Name of A. Name of B was removed."


def test_what_is_short_is_told_by_name() -> None:
    stands = cart(
        item("A", 5, available=2000),
        item("B", 100_000, available=9_100),
        item("C", available=0),
        item("D", on_sale=False),
    )
    assert shortages(stands) == [
        "Only 9,100 of Name of B are left; your cart has 100,000.",
        "Name of C is out of stock.",
        "Name of D is not sold any more.",
    ]


def test_a_line_whose_number_went_to_another_product_is_told() -> None:
    line = item("A").model_copy(update={"replaced": True})
    assert shortages(cart(line)) == [
        "Name of A is another product than the one you chose: put it into the cart again."
    ]
    shown = fragment(
        "_cart.html", cart=cart(line).model_dump(), pieces=1, faults={}, typed={}, said="", told=False
    )
    assert "another product than the one you chose" in shown
