"""docs/settings.md: every environment variable, from the settings classes."""

import inspect
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from pkgutil import walk_packages
from types import ModuleType
from typing import Literal, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

import api
import connectors
import deploy
import sinks
import streams
import topics
from deploy.docs.markdown import code, page, table

_INTRODUCTION = """\
Every setting is an environment variable. Where an address is given, that server is used and none is started.
"""


def settings_page(classes: Sequence[type[BaseSettings]]) -> str:
    """Return the page."""
    lines = [_INTRODUCTION]
    for one in classes:
        lines += [f"## {one.__module__}", "", (inspect.getdoc(one) or "").replace("\n", " "), ""]
        lines += table(
            ("variable", "type", "default", "meaning"),
            (
                (code(_variable(one, name)), _type(field), _default(field), field.description or "")
                for name, field in one.model_fields.items()
            ),
        )
    return page("Settings", lines)


def settings_classes(
    packages: Iterable[ModuleType] = (topics, streams, connectors, sinks, api, deploy),
) -> list[type[BaseSettings]]:
    """Return the settings classes of every module called `settings`, by module name within each package."""
    return [found for package in packages for found in _of_package(package)]


def _of_package(package: ModuleType) -> Iterator[type[BaseSettings]]:
    for module in walk_packages(package.__path__, f"{package.__name__}."):
        if module.name.endswith(".settings"):
            members = vars(import_module(module.name)).values()
            yield from (
                one
                for one in members
                if inspect.isclass(one) and issubclass(one, BaseSettings) and one.__module__ == module.name
            )


def _variable(one: type[BaseSettings], name: str) -> str:
    return f"{one.model_config.get('env_prefix', '')}{name}".upper()


def _type(field: FieldInfo) -> str:
    annotation = field.annotation
    if get_origin(annotation) is Literal:
        return "one of " + ", ".join(get_args(annotation))
    text = annotation.__name__ if inspect.isclass(annotation) else str(annotation)
    return ", ".join([text.replace("pathlib.", "").replace(" | None", " or none"), *_limits(field)])


def _limits(field: FieldInfo) -> Iterator[str]:
    signs = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<", "pattern": "matches"}
    for limit in field.metadata:
        for name, sign in signs.items():
            if (bound := getattr(limit, name, None)) is not None:
                yield f"{sign} {bound}"


def _default(field: FieldInfo) -> str:
    return "-" if field.default is None else code(str(field.default))
