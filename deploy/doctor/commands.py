"""`ecommerce doctor`: the invariants, checked."""

from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from deploy.broker import broker
from deploy.doctor.check import examine
from deploy.doctor.examination import gather
from deploy.doctor.gathered import CHECKS
from deploy.output import JsonOption, console, notes, print_json
from deploy.topology.gather import running
from topics.credentials import Role
from topics.settings import settings

_SHOWN = 20


def doctor(
    *,
    wait: Annotated[
        float, typer.Option(min=0, help="Seconds to wait until everything is read and nothing moves.")
    ] = 60.0,
    as_json: JsonOption = False,
) -> None:
    """Check the invariants of the running platform; exit 1 where one does not hold.

    It reads the tables (from their changelogs), the events and the views once all consumers have read
    everything, and compares them.
    """
    chosen = settings().logged_in_as(Role.READER)
    with broker(chosen), notes().status("looking") as status:
        facts = gather(chosen, running(chosen), wait, status.update)
    outcomes = examine(facts, CHECKS)
    violations = [violation for outcome in outcomes for violation in outcome.violations]
    if as_json:
        checks = [
            {
                "name": one.name,
                "title": one.title,
                "looked_at": one.looked_at,
                "violations": len(one.violations),
                "way": one.way,
            }
            for one in outcomes
        ]
        print_json({"violations": [asdict(one) for one in violations], "checks": checks})
    else:
        table = Table("", "check", "invariant", "looked at", "violations")
        for one in outcomes:
            sign = Text("✗", "red") if one.violations else Text("✓", "green")
            table.add_row(sign, one.name, one.title, str(one.looked_at), str(len(one.violations) or ""))
        console().print(table)
        for violation in violations[:_SHOWN]:
            line = Text.assemble((violation.check, "red"), f" {violation.id}: {violation.detail}")
            console().print(line, soft_wrap=True)
        if len(violations) > _SHOWN:
            console().print(f"... and {len(violations) - _SHOWN} more (--json lists them all)")
        for one in outcomes:
            if one.violations and one.way:
                console().print(Text.assemble((one.name, "red"), f" is mended by {one.way}"), soft_wrap=True)
        if not violations:
            console().print("[green]every invariant holds[/green]")
    if violations:
        raise typer.Exit(1)
