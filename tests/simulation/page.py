"""The table of planted bugs in docs/simulation.md: `python -m tests.simulation.page` writes it anew."""

from pathlib import Path

from tests.simulation.mutations import MUTATIONS

PAGE = Path(__file__).parents[2] / "docs" / "simulation.md"
_BEGIN, _END = "<!-- planted bugs: generated -->", "<!-- end -->"


def table() -> str:
    """Return the table."""
    rows = [f"| `{each.name}` | `{each.room}` | {each.wrong} |" for each in MUTATIONS]
    return "\n".join(["| planted bug | room | what goes wrong |", "|---|---|---|", *rows])


def renewed(page: str) -> str:
    """Return the page with the table as it is now. Raises ValueError where the page has no place for it."""
    before, _, rest = page.partition(_BEGIN)
    _, found, after = rest.partition(_END)
    if not found:
        raise ValueError(f"{PAGE.name} has no {_BEGIN} ... {_END}")
    return f"{before}{_BEGIN}\n{table()}\n{_END}{after}"


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text()))
