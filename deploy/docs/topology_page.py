"""docs/topology.md: the pictures and the routing tables."""

from collections.abc import Sequence

from deploy.docs.markdown import code, page, table
from deploy.topology.component import Component, Role
from deploy.topology.mermaid import around, overview, short

_INTRODUCTION = """\
Drawn from the flows' routing tables, the sinks' projections and the topics that the API names. An arrow
bears the topics it stands for, without their prefix `ecommerce.`; the timers of a flow are its own records.
"""


def topology_page(components: Sequence[Component]) -> str:
    """Return the page."""
    lines = [_INTRODUCTION, "## Everything", "", *_picture(overview(components))]
    for one in components:
        lines += [f"## {one.title}", "", *_facts(one)]
        if one.role in (Role.FLOW, Role.GATEWAY):
            lines += _picture(around(one, components))
        does = "feeds" if one.role is Role.SINK else "handler"
        lines += table(
            ("topic in", does, "topics out"),
            (
                (
                    code(short(route.topic)),
                    route.does,
                    ", ".join(code(short(out)) for out in route.emits) or "-",
                )
                for route in one.routes
            ),
        )
        if one.also_emits:
            lines += ["Also out: " + ", ".join(code(short(topic)) for topic in one.also_emits) + ".", ""]
    return page("Topology", lines)


def _facts(one: Component) -> list[str]:
    facts = []
    if one.table:
        facts.append(f"Table {code(one.table)}.")
    if one.group:
        facts.append(f"Consumer group {code(one.group)}.")
    return [" ".join(facts), ""] if facts else []


def _picture(text: str) -> list[str]:
    return ["```mermaid", text.rstrip("\n"), "```", ""]
