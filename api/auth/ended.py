"""Which sessions have ended: what every use of a token is checked against, in memory."""

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from api.problems import unavailable


@dataclass(frozen=True, slots=True)
class Session:
    """One log-in of one user, as a token names it. `expires_at` is in seconds since the epoch, UTC."""

    session_id: str
    user_id: str
    version: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class End:
    """That one session has ended, or, without a session's id, all of the user's below a version."""

    user_id: str
    session_id: str | None
    below_version: int | None


class EndedSessions:
    """The sessions that ended while a token of theirs may still be about, as this process has heard of them.

    `patience_seconds` after it last heard whether there are more, it cannot say of any session that it goes
    on. `clock` is in seconds, and never goes back.
    """

    def __init__(self, patience_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._patience = patience_seconds
        self._clock = clock
        self._heard_at = float("-inf")
        self._sessions: set[str] = set()
        self._below: dict[str, int] = {}
        self._watched: dict[Session, set[asyncio.Event]] = {}

    def heard(self, ends: Iterable[End], at: float, *, all_of_them: bool = False) -> None:
        """Take note of ends as the database had them at clock time `at`; all of them, or only newer ones."""
        if all_of_them:
            self._sessions, self._below = set(), {}
        some = False
        for end in ends:
            some = True
            self._note(end)
        self._heard_at = at
        if some:
            self._wake(self.has_ended)

    def note(self, end: End) -> None:
        """Take note of an end that this process itself has brought about."""
        self._note(end)
        self._wake(self.has_ended)

    def has_ended(self, session: Session) -> bool:
        """Whether a session is known to have ended."""
        return session.session_id in self._sessions or session.version < self._below.get(session.user_id, 0)

    def check_hearing(self) -> None:
        """Raise a 503 Problem where nothing was heard for so long that no session can be relied on.

        Whoever waits for the end of a session is then told that it is over.
        """
        if self._clock() - self._heard_at > self._patience:
            self._wake(lambda _session: True)
            raise unavailable("whether a session has ended")

    async def over(self, session: Session) -> None:
        """Return when a session has ended, has expired, or can no longer be relied on."""
        event = asyncio.Event()
        self._watched.setdefault(session, set()).add(event)
        try:
            if self.has_ended(session):
                return
            async with asyncio.timeout(max(0.0, session.expires_at - time.time())):
                await event.wait()
        except TimeoutError:
            return
        finally:
            watching = self._watched[session]
            watching.discard(event)
            if not watching:
                del self._watched[session]

    def _note(self, end: End) -> None:
        if end.session_id is not None:
            self._sessions.add(end.session_id)
        if end.below_version is not None:
            self._below[end.user_id] = max(end.below_version, self._below.get(end.user_id, 0))

    def _wake(self, over: Callable[[Session], bool]) -> None:
        for session, events in self._watched.items():
            if over(session):
                for event in events:
                    event.set()
