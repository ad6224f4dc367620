"""What a worker may commit where several flows read one topic."""

from types import SimpleNamespace
from typing import Any

from streams.inventory.allocation.agent import FLOW as ALLOCATION
from streams.kernel.ownership import Place, applied
from streams.payment.agent import FLOW as PAYMENT
from topics.registry import ORDER_CANCELLED, ORDER_PLACED


def lanes(**committable: dict[str, int]) -> dict[Place, Any]:
    flows = {"payment": PAYMENT, "allocation": ALLOCATION}
    return {
        Place(name, 1): SimpleNamespace(task=SimpleNamespace(flow=flow, committable=committable[name]))
        for name, flow in flows.items()
    }


def test_a_topic_of_two_flows_is_committed_as_far_as_the_slower_one_is() -> None:
    cancelled = ORDER_CANCELLED.name
    for slower, faster in ((3, 9), (9, 3)):
        found = applied(lanes(payment={cancelled: slower}, allocation={cancelled: faster}))
        assert found == {(cancelled, 1): 4}


def test_a_topic_of_two_flows_is_not_committed_before_both_have_applied_of_it() -> None:
    cancelled = ORDER_CANCELLED.name
    assert applied(lanes(payment={cancelled: 9}, allocation={})) == {}
    assert applied(lanes(payment={}, allocation={cancelled: 9})) == {}


def test_a_topic_of_one_flow_is_committed_as_far_as_it_is() -> None:
    assert applied(lanes(payment={}, allocation={ORDER_PLACED.name: 9})) == {(ORDER_PLACED.name, 1): 10}
