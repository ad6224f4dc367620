"""What a comparison of views came to, for people."""

from collections.abc import Iterator

from rich.table import Table
from rich.text import Text

from sinks.verify.findings import Findings

_SHOWN = 20


def table(findings: Findings) -> Table:
    """Return the parts with what is expected of them and what they hold, in rows."""
    shown = Table(
        "", "view", "expected", "held", "checksum", "held checksum", title=findings.name, title_justify="left"
    )
    for part in findings.parts:
        same = (part.expected, part.expected_checksum) == (part.held, part.held_checksum)
        shown.add_row(
            Text("✓", "green") if same else Text("≠", "yellow"),
            part.name,
            f"{part.expected:,}",
            f"{part.held:,}",
            part.expected_checksum,
            part.held_checksum,
        )
    return shown


def lines(findings: Findings) -> Iterator[Text]:
    """Yield what differs, and what only seemed to."""
    for each in findings.differences[:_SHOWN]:
        yield Text.assemble((each.kind, "red"), f" {each.view}: {each.key}")
    rest = len(findings.differences) - _SHOWN
    if rest > 0 or findings.more:
        yield Text(
            f"... and {max(rest, 0) + findings.more:,} more (--json names {len(findings.differences):,})"
        )
    for count, said in (
        (findings.behind, f"are behind, not wrong: the sink has {findings.lag:,} records to read"),
        (findings.refused, "are dead letters: `ecommerce dlq list sink`"),
        (findings.expired, "had expired"),
        (findings.moving, "changed each time they were looked at"),
    ):
        if count:
            yield Text(f"{count:,} {said}", "yellow")
    for gap in findings.removed:
        yield Text(f"retention has removed {gap}, and no archive has it", "yellow")


def way(findings: Findings) -> str:
    """Return how to go on where new views were not swapped in: which side is right, and what swaps."""
    if findings.removed:
        return (
            "the live ones stay. The topics no longer have all that the live ones show, so the new ones may "
            f"be short of it: `ecommerce views rebuild {findings.name} --archive URL` reads the rest"
        )
    return (
        'the live ones stay. "expected" is what the topics say, "held" what the live ones show: where they '
        f"are wrong, `ecommerce views rebuild {findings.name} --yes` puts the new ones in their place"
    )
