"""Every table of the platform, gathered from the domains' modules."""

from typing import Any

from schemas.domains import DOMAINS, ManifestError, all_declared, no_strays
from tables.table import Table


def of_flow(module: str, flow: str) -> Table[Any]:
    """Return the table of a flow. Raises ManifestError where its module does not declare just that one."""
    found = list(all_declared(module, Table).values())
    if [each.name for each in found] != [flow]:
        names = ", ".join(each.name for each in found) or "none"
        raise ManifestError(
            f"{module.replace('.', '/')}.py has to declare the table {flow} and no other, not {names}"
        )
    return found[0]


no_strays("tables", [domain.name for domain in DOMAINS if domain.flows], ())

TABLES: dict[str, Table[Any]] = {
    flow: of_flow(domain.place("tables", flow), flow) for domain in DOMAINS for flow in domain.flows
}
"""The tables by their flows, which have the same names."""
