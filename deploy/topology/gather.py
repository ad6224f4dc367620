"""Gathering the components from the rooms' own declarations: routing tables, projections, topics named."""

from collections.abc import Iterable, Sequence
from functools import partial
from importlib import import_module
from pkgutil import walk_packages
from types import ModuleType
from typing import Any

import api
from api.outcomes import LISTENED
from connectors.outbox.row import SOURCE
from connectors.payments import gateway
from connectors.runtime.projection import AnyProjection
from deploy.topology.component import Component, Role, Route
from sinks import archive, elasticsearch, postgres, redis
from streams.flows import FLOWS, GROUP
from streams.kernel.flow import Flow
from topics.registry import PAYMENT_INSTRUCT, PAYMENT_OUTCOME, SERVICE_PING, USER_REGISTERED, USER_UPDATED
from topics.settings import Settings
from topics.topic import Kind, Topic


def components() -> list[Component]:
    """Return every component of the platform, in the order of a purchase."""
    return [
        of_api(modules_of(api), LISTENED),
        *(of_flow(flow, GROUP) for flow in FLOWS),
        Component(
            name="payment-gateway",
            role=Role.GATEWAY,
            title="payment gateway",
            routes=(Route(PAYMENT_INSTRUCT.name, "calls the provider", (PAYMENT_OUTCOME.name,)),),
            group=gateway.GROUP,
        ),
        Component(
            name=SOURCE,
            role=Role.SOURCE,
            title="accounts' outbox",
            also_emits=tuple(topic.name for topic in (USER_REGISTERED, USER_UPDATED)),
        ),
        of_sink("postgres", "PostgreSQL views", postgres.GROUP, postgres.PROJECTIONS),
        of_sink("redis", "Redis views", redis.GROUP, redis.PROJECTIONS),
        of_sink("elasticsearch", "Elasticsearch views", elasticsearch.GROUP, elasticsearch.PROJECTIONS),
    ]


def running(settings: Settings) -> list[Component]:
    """Return the components that run under these settings: some only where they are configured.

    The archive, which reads every topic, is no part of the picture: it would hide all the rest.
    """
    found = [one for one in components() if one.name != "elasticsearch" or settings.elasticsearch]
    if settings.archive_url:
        group = archive.group_of(settings.archive_url)
        found.append(of_sink(archive.NAME, "archive", group, archive.PROJECTIONS))
    return found


def of_flow(flow: Flow[Any], group: str) -> Component:
    """Return a flow as a component; its timer is an output of its own."""
    return Component(
        name=flow.name,
        role=Role.FLOW,
        title=flow.name,
        routes=tuple(
            Route(route.topic.name, handler_name(route.handler), tuple(out.name for out in route.emits))
            for route in flow.routes
        ),
        also_emits=(flow.timer.name,) if flow.timer else (),
        group=group,
        table=flow.table.name,
    )


def of_sink(name: str, title: str, group: str, projections: Sequence[AnyProjection[Any]]) -> Component:
    """Return a sink as a component; what a route does is what it feeds."""
    routes = tuple(Route(each.topic.name, ", ".join(each.into)) for each in projections)
    return Component(name=name, role=Role.SINK, title=title, routes=routes, group=group)


def of_api(modules: Iterable[ModuleType], listened: Iterable[Topic[Any]]) -> Component:
    """Return the API: it sends the commands that its modules name, and listens to what ends them."""
    named = {one.name: one for module in modules for one in vars(module).values() if isinstance(one, Topic)}
    sent = [topic.name for topic in named.values() if topic.kind is Kind.COMMAND or topic is SERVICE_PING]
    return Component(
        name="api",
        role=Role.API,
        title="API and shop",
        routes=tuple(Route(topic.name, "tells who waits for it") for topic in listened),
        also_emits=tuple(sorted(sent)),
    )


def modules_of(package: ModuleType) -> list[ModuleType]:
    """Return every module of a package, imported."""
    return [import_module(found.name) for found in walk_packages(package.__path__, f"{package.__name__}.")]


def handler_name(handler: Any) -> str:
    """Return `module.function` of a handler, without its policy."""
    function = handler.func if isinstance(handler, partial) else handler
    module = str(function.__module__).rsplit(".", 1)[-1]
    return f"{module}.{function.__name__}"
