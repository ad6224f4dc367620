"""Carrying a coroutine from one effect to the next, without an event loop.

The simulated ports stop before and after all that leaves a process (`await effect(...)`). Who holds the
`Unit` decides when it goes on, whether it fails there, or whether it never does because its process died.
So a crash may fall between any two effects, and nothing depends on how asyncio schedules.
"""

from collections.abc import Coroutine, Generator
from types import coroutine
from typing import Any


@coroutine
def effect(name: str) -> Generator[str | None, None, None]:
    """Stop here until the unit is carried on."""
    yield name


class Unit:
    """Work under way. `at` names the effect before which it stands; `result` is there once it is `done`."""

    __slots__ = ("_coroutine", "at", "done", "result")

    def __init__(self, work: Coroutine[str | None, None, Any]) -> None:
        self._coroutine = work
        self.at = ""
        self.done = False
        self.result: Any = None

    def carry(self, failure: BaseException | None = None) -> bool:
        """Go on to the next effect, or let `failure` happen at this one. Returns whether the work is done.

        Raises what the work raises.
        """
        try:
            at = self._coroutine.send(None) if failure is None else self._coroutine.throw(failure)
            while at is None:  # asyncio.sleep(0): a courtesy to an event loop, which is not here
                at = self._coroutine.send(None)
            self.at = at
        except StopIteration as end:
            self.done, self.result = True, end.value
        return self.done

    def drop(self) -> None:
        """Forget the work where it stands: its process is gone."""
        self._coroutine.close()


def finished(work: Coroutine[str | None, None, Any]) -> Any:
    """Carry work to its end and return its result."""
    unit = Unit(work)
    while not unit.carry():
        pass
    return unit.result
