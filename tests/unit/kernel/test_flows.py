"""What cannot run together is refused by name."""

from dataclasses import replace

import msgspec
import pytest

from streams.flows import FLOWS, GROUP, checked
from streams.kernel.flow import Decision, Flow, Route
from tables.table import Table
from tests.topology.kernel.toy import FLOW
from topics.registry import CART_ADD, SERVICE_PING


class Loose(msgspec.Struct):
    field: int = 0


def test_the_platform_has_its_six_flows_under_one_group() -> None:
    assert {flow.name for flow in FLOWS} == {"product", "cart", "order", "stock", "allocation", "payment"}
    assert GROUP == "ecommerce.streams"


@pytest.mark.parametrize(
    ("flows", "rule"),
    [
        ((FLOW, FLOW), "the name is used 2 times"),
        ((FLOW, replace(FLOW, name="other")), "the table is used 2 times"),
        (
            (Flow("loose", Table("loose", Loose), (Route(CART_ADD, lambda state, _: Decision(state)),)),),
            "Loose is not frozen",
        ),
        (
            (Flow("ping", FLOW.table, (Route(SERVICE_PING, lambda state, _: Decision(state)),)),),
            "ecommerce.service.ping has its own 1 partitions",
        ),
    ],
)
def test_a_mismatch_is_refused(flows: tuple[Flow[msgspec.Struct], ...], rule: str) -> None:
    with pytest.raises(ValueError, match=rule):
        checked(flows)
