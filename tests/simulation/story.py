"""A failing run as people read it: shrunk, numbered, in words."""

from collections.abc import Sequence

from tests.simulation.run import Run, replay
from tests.simulation.scene import Choice
from tests.simulation.settings import Parts
from tests.simulation.shrink import shrunk


def kind(violation: str) -> str:
    """Return the rule that a violation breaks, without whose it is."""
    return violation.split(":", maxsplit=1)[0].split(" of ", maxsplit=1)[0][:60]


def shortest(run: Run, parts: Parts | None = None, budget_s: float = 60.0) -> Run:
    """Return the shortest run found that breaks the first rule that `run` breaks, with its story."""
    wanted = kind(run.violations[0])

    def fails(choices: Sequence[Choice]) -> bool:
        return any(kind(each) == wanted for each in replay(run.seed, choices, parts).violations)

    choices = shrunk(run.choices, fails, budget_s)
    return replay(run.seed, choices, parts, telling=True)


def told(run: Run) -> str:
    """Return the story: numbered steps, then what is wrong."""
    lines = [f"{number:>4}. {line}" for number, line in enumerate(run.story, 1)]
    lines.append(
        "      Then all faults end, everything is read, and time goes on until nothing is left to do."
    )
    lines += [f"   =>  {each}" for each in run.violations]
    return "\n".join(lines)
