"""A cart is shown as newest known: from the view, or from what was heard while the view was behind."""

from api.cart.recent import RecentCarts
from api.cart.view import CartState
from api.outcomes import LISTENED
from api.tail import Dispatcher
from schemas.cart import CartStatus, CartUpdated
from tests.unit.api.fakes import FakeBroker, FakeCarts
from topics.registry import CART_UPDATED

CART = CartUpdated(CartStatus.OPEN, (), None, None, 1)


def listening(view: FakeCarts, kept: int = 10) -> tuple[RecentCarts, FakeBroker]:
    tail = Dispatcher(LISTENED)
    carts = RecentCarts(view, kept)
    tail.listen(CART_UPDATED, carts.hear)
    return carts, FakeBroker(tail)


async def version(carts: RecentCarts, cart_id: str) -> int | None:
    found = await carts.read(cart_id)
    return found.version if found else None


async def test_a_cart_is_there_before_the_view_has_it() -> None:
    carts, broker = listening(FakeCarts())
    broker.tell(CART_UPDATED, "cart-1", CART, 3)
    assert await version(carts, "cart-1") == 3
    assert await version(carts, "cart-2") is None


async def test_the_newer_of_the_two_is_shown() -> None:
    view = FakeCarts()
    carts, broker = listening(view)
    broker.tell(CART_UPDATED, "cart-1", CART, 3)
    view.known["cart-1"] = CartState(CART, 2)
    assert await version(carts, "cart-1") == 3
    view.known["cart-1"] = CartState(CART, 4)
    assert await version(carts, "cart-1") == 4


async def test_the_longest_unchanged_is_forgotten_first() -> None:
    carts, broker = listening(FakeCarts(), kept=2)
    for cart, number in (("cart-1", 1), ("cart-2", 1), ("cart-1", 2), ("cart-3", 1)):
        broker.tell(CART_UPDATED, cart, CART, number)
    assert [await version(carts, f"cart-{each}") for each in (1, 2, 3)] == [2, None, 1]


async def test_what_cannot_be_read_leaves_the_views_state() -> None:
    view = FakeCarts()
    view.known["cart-1"] = CartState(CART, 2)
    carts, _broker = listening(view)
    carts.hear(b"cart-1", b"not decodable")
    assert await version(carts, "cart-1") == 2


def test_large_carts_are_kept_as_far_as_there_is_room() -> None:
    carts = RecentCarts(FakeCarts(), kept=10, kept_bytes=1_000)
    for number in range(100):
        carts.hear(b"cart-%d" % (number % 7), b"x" * (50 * (number % 9)))
        assert sum(len(each) for each in carts._heard.values()) == carts._bytes <= 1_000
    carts.hear(b"huge", b"x" * 2_000)
    assert carts._heard == {}
