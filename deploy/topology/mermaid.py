"""The dataflow as Mermaid pictures: one of all components, and one around each flow."""

from collections.abc import Sequence

from deploy.topology.component import Component, Role, connections, consumers, producers

_SHAPES = {
    Role.API: ("([", "])"),
    Role.FLOW: ("[", "]"),
    Role.GATEWAY: ("[[", "]]"),
    Role.SINK: ("[(", ")]"),
    Role.SOURCE: ("[/", "/]"),
}
_STYLES = (
    "classDef api fill:#dbeafe,stroke:#2563eb,color:#111827",
    "classDef flow fill:#dcfce7,stroke:#16a34a,color:#111827",
    "classDef gateway fill:#fef3c7,stroke:#d97706,color:#111827",
    "classDef sink fill:#f3e8ff,stroke:#9333ea,color:#111827",
    "classDef source fill:#ffe4e6,stroke:#e11d48,color:#111827",
)
PREFIX = "ecommerce."


def short(topic: str) -> str:
    """Return the topic's name as people say it."""
    return topic.removeprefix(PREFIX)


def overview(components: Sequence[Component]) -> str:
    """Return the picture of all components; an arrow bears the topics that it stands for.

    Arrows from a component to itself (timers and its own commands) are left to the pictures of the flows.
    """
    lines = ["flowchart LR", *(f"    {_node(one)}" for one in components)]
    for (producer, consumer), topics in connections(components).items():
        if producer != consumer:
            lines.append(_arrow(_id(producer), topics, _id(consumer)))
    return "\n".join([*lines, *(f"    {style}" for style in _STYLES)]) + "\n"


def around(centre: Component, components: Sequence[Component]) -> str:
    """Return the picture of one component and its neighbours.

    What nobody here writes comes from `other senders`; what nobody here reads goes to `other readers`.
    """
    near = {pair: topics for pair, topics in connections(components).items() if centre.name in pair}
    names = {name for pair in near for name in pair} | {centre.name}
    lines = ["flowchart LR", *(f"    {_node(one)}" for one in components if one.name in names)]
    lines += [_arrow(_id(producer), topics, _id(consumer)) for (producer, consumer), topics in near.items()]
    if unwritten := [topic for topic in centre.consumes if not producers(components, topic)]:
        lines.append(_arrow("others([other senders])", unwritten, _id(centre.name)))
    if unread := [topic for topic in centre.emits if not consumers(components, topic)]:
        lines.append(_arrow(_id(centre.name), unread, "readers([other readers])"))
    return "\n".join([*lines, *(f"    {style}" for style in _STYLES)]) + "\n"


def _arrow(source: str, topics: Sequence[str], target: str) -> str:
    label = "<br/>".join(_folded([short(topic) for topic in topics]))
    return f'    {source} -- "{label}" --> {target}'


def _node(one: Component) -> str:
    left, right = _SHAPES[one.role]
    return f'{_id(one.name)}{left}"{one.title}"{right}:::{one.role}'


def _id(name: str) -> str:
    return name.replace("-", "_").replace(".", "_")


def _folded(names: list[str]) -> list[str]:
    """Return `order.placed`, `order.confirmed` as one line `order: placed, confirmed`."""
    domains: dict[str, list[str]] = {}
    for name in names:
        domain, _, action = name.partition(".")
        domains.setdefault(domain, []).append(action)
    lines = []
    for domain, actions in domains.items():
        for first in range(0, len(actions), 3):
            part = ", ".join(actions[first : first + 3])
            lines.append(f"{domain}: {part}" if first == 0 else part)
    return lines
