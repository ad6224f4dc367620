"""`ecommerce rebuild`: a view anew from the start of the topics, beside the live one."""

import asyncio
import time
from enum import StrEnum
from typing import Annotated

import typer

from deploy.broker import broker
from deploy.errors import CommandError
from deploy.output import JsonOption, console, notes, print_json
from sinks.rebuild import rebuild_elasticsearch, rebuild_postgres
from topics.settings import settings


class View(StrEnum):
    """The views that can be rebuilt."""

    POSTGRES = "postgres"
    ELASTICSEARCH = "elasticsearch"


def rebuild(
    view: Annotated[View, typer.Argument(help="Which view.")],
    *,
    as_json: JsonOption = False,
) -> None:
    """Fill a new view from the start of the topics, and swap it in while the live one goes on serving."""
    chosen = settings()
    if view is View.ELASTICSEARCH and chosen.elasticsearch is None:
        raise CommandError("ECOMMERCE_ELASTICSEARCH is not set: there is nothing to rebuild", 2)
    run = rebuild_postgres if view is View.POSTGRES else rebuild_elasticsearch
    started = time.monotonic()
    with broker(chosen), notes().status(f"rebuilding {view}"):
        records = asyncio.run(run(chosen))
    seconds = time.monotonic() - started
    if as_json:
        print_json({"view": view.value, "records": records, "seconds": round(seconds, 3)})
    else:
        console().print(f"{view} rebuilt from {records} records in {seconds:.1f} s")
