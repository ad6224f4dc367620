"""What cannot run together is refused by name."""

from dataclasses import replace

import msgspec
import pytest

from api.outcomes import OF_COMMAND
from schemas.domains import DOMAINS
from streams.flows import FLOWS, GROUP, checked
from streams.kernel.flow import Decision, Flow, Route, inner
from tables.table import Table
from tests.topology.kernel.toy import FLOW
from topics.registry import (
    CART_ADD,
    CART_CLEAR,
    CHECKOUT_REQUESTED,
    INNER_COMMANDS,
    INVENTORY_RECEIVE,
    INVENTORY_RESERVE,
    ORDER_DUE,
    ORDER_PLACED,
    PAYMENT_INSTRUCT,
    PAYMENT_OUTCOME,
    SERVICE_PING,
)
from topics.topic import Kind


class Loose(msgspec.Struct):
    field: int = 0


def test_the_platform_has_the_flows_of_its_domains_under_one_group() -> None:
    assert {flow.name for flow in FLOWS} == {flow for domain in DOMAINS for flow in domain.flows}
    assert len(FLOWS) >= 6
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


def test_who_reads_its_own_alone_is_told_from_who_is_asked_by_others() -> None:
    found = inner(FLOWS)
    assert {ORDER_PLACED.name, INVENTORY_RESERVE.name, ORDER_DUE.name} <= found
    assert found.isdisjoint({CART_ADD.name, CART_CLEAR.name, CHECKOUT_REQUESTED.name, INVENTORY_RECEIVE.name})
    assert PAYMENT_OUTCOME.name not in found, "it is the gateway that sends it"
    assert PAYMENT_INSTRUCT.name not in found, "it is the gateway that reads it"


def test_nobody_outside_gives_the_commands_that_flows_give_each_other() -> None:
    assert {topic.name for topic in INNER_COMMANDS}.isdisjoint(OF_COMMAND)
    assert all(topic.kind is Kind.COMMAND for topic in INNER_COMMANDS)
