from deploy.topology.component import Component, Role, Route, connections, consumers, producers
from deploy.topology.gather import components, handler_name, of_flow
from deploy.topology.mermaid import around, overview
from streams.flows import FLOWS
from streams.product import decide
from topics.registry import PAYMENT_OUTCOME, TOPICS
from topics.topic import Kind

CART = Component(
    "cart",
    Role.FLOW,
    "cart",
    routes=(
        Route("ecommerce.cart.add", "decide.add", ("ecommerce.cart.updated", "ecommerce.cart.rejected")),
        Route("ecommerce.cart.due", "decide.due", ("ecommerce.cart.updated",)),
    ),
    also_emits=("ecommerce.cart.due",),
)
REDIS = Component("redis", Role.SINK, "Redis", routes=(Route("ecommerce.cart.updated", "cart:{id}"),))
ALL = [CART, REDIS]


def test_a_component_emits_each_topic_once_and_its_timer() -> None:
    assert CART.emits == ("ecommerce.cart.updated", "ecommerce.cart.rejected", "ecommerce.cart.due")


def test_components_meet_in_topics() -> None:
    assert connections(ALL) == {
        ("cart", "cart"): ["ecommerce.cart.due"],
        ("cart", "redis"): ["ecommerce.cart.updated"],
    }
    assert producers(ALL, "ecommerce.cart.updated") == [CART]
    assert consumers(ALL, "ecommerce.cart.updated") == [REDIS]
    assert producers(ALL, "ecommerce.cart.add") == []


def test_draws_everything() -> None:
    lines = overview(ALL).splitlines()
    assert lines[0] == "flowchart LR"
    assert '    cart["cart"]:::flow' in lines
    assert '    redis[("Redis")]:::sink' in lines
    assert '    cart -- "cart: updated" --> redis' in lines
    assert not any("due" in line for line in lines)


def test_draws_one_with_its_timer_and_the_world_outside() -> None:
    lines = around(CART, ALL).splitlines()
    assert '    cart -- "cart: due" --> cart' in lines
    assert '    others([other senders]) -- "cart: add" --> cart' in lines
    assert '    cart -- "cart: rejected" --> readers([other readers])' in lines


def test_a_flow_is_what_its_routing_table_says() -> None:
    (flow,) = [flow for flow in FLOWS if flow.name == "product"]
    component = of_flow(flow, "group")
    assert component.table == "product"
    assert component.routes[0].does == "decide.create"
    assert handler_name(decide.create) == "decide.create"


def test_every_message_is_read_or_written_by_somebody() -> None:
    everything = components()
    lonely = [
        topic.name
        for topic in TOPICS.values()
        if not producers(everything, topic.name) and not consumers(everything, topic.name)
    ]
    assert lonely == []


def test_every_command_has_one_reader_and_every_event_a_writer() -> None:
    everything = components()
    for topic in TOPICS.values():
        if topic.kind is Kind.COMMAND:
            assert len(consumers(everything, topic.name)) == 1, topic.name
        if topic.kind is Kind.EVENT:
            assert producers(everything, topic.name), topic.name
    assert [one.name for one in producers(everything, PAYMENT_OUTCOME.name)] == ["payment-gateway"]
