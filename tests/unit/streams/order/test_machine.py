"""The table of legal moves."""

from schemas.order import OrderStatus
from streams.order.machine import BEGINNINGS, EVENTS, MOVES, STAFF_TARGETS, diagram


def test_every_state_is_reached_and_has_its_event() -> None:
    reached = set(BEGINNINGS) | {target for targets in MOVES.values() for target in targets}
    assert reached == set(MOVES) == set(EVENTS) == set(OrderStatus)
    assert all(topic.name == f"ecommerce.order.{status}" for status, topic in EVENTS.items())


def test_staff_neither_place_nor_confirm_nor_cancel_by_advancing() -> None:
    assert not STAFF_TARGETS & {
        OrderStatus.PLACED,
        OrderStatus.CONFIRMED,
        OrderStatus.CANCELLED,
        OrderStatus.RETURNED,
    }


def test_the_diagram_shows_every_move() -> None:
    picture = diagram()
    assert picture.startswith("stateDiagram-v2\n")
    assert "    placed --> confirmed\n" in picture
    assert "    cancelled --> [*]\n" in picture
    assert picture.count("-->") == len(BEGINNINGS) + sum(max(1, len(targets)) for targets in MOVES.values())
