"""How a domain declares what it shows over HTTP."""

from dataclasses import dataclass
from typing import NamedTuple

from fastapi import APIRouter

from api.short_way import Command, Reading

V1 = "/api/v1"


class Tag(NamedTuple):
    """A heading of the OpenAPI document, under which routes stand."""

    name: str
    description: str


@dataclass(frozen=True)
class Surface:
    """A domain's routes under `/api/v1`, its pages, and those of its routes that are asked most.

    `tag` describes the heading that the routes name, where it is the domain's own.
    """

    tag: Tag | None = None
    routers: tuple[APIRouter, ...] = ()
    pages: tuple[APIRouter, ...] = ()
    short_commands: tuple[Command, ...] = ()
    short_readings: tuple[Reading, ...] = ()
