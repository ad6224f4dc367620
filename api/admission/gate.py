"""The gate before commands: what is known of the pipeline, the verdict on it, and the refusal."""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import structlog
from prometheus_client import Counter, Gauge

from api.admission.hand import Hand
from api.admission.rule import Signals, Verdict, judge
from api.admission.shares import Share, Shares
from api.problems import Problem
from api.settings import ApiSettings

PRESSURE = Gauge("api_admission_pressure", "The worst signal as a share of its limit; 1 closes the gate.")
REFUSING = Gauge("api_admission_refusing", "Whether commands are refused (1) or admitted (0).")
REFUSED = Counter(
    "api_admission_refused_total", "Commands refused, by the signal that closed the gate.", ["signal"]
)

IN_HAND = "in_hand"

_SPREAD = 0.5

_log = structlog.get_logger()


class Gate:
    """Admits commands or refuses them; every instance of the API has one of its own."""

    def __init__(self, settings: ApiSettings) -> None:
        self._limits = Signals(
            backlog_records=settings.backlog_records,
            backlog_seconds=settings.backlog_seconds,
            sending=settings.sending_commands,
            sending_seconds=settings.sending_seconds,
            unanswered=settings.unanswered_commands,
            loop_seconds=settings.loop_seconds,
        )
        self._reopen_share = settings.reopen_share
        self._seen = Signals()
        self.verdict = Verdict()
        self.hand = Hand(settings.in_hand_commands)
        self.shares = Shares(
            client_in_hand=_part(settings.client_share, settings.in_hand_commands),
            client_unanswered=_part(settings.client_share, settings.unanswered_commands),
            client_streams=settings.client_streams,
            owner_commands=settings.owner_commands,
            owner_streams=settings.owner_streams,
            unlimited=settings.unlimited_clients,
        )
        self.streams = Share("event_streams", settings.streams)
        # Noted at every command, looked at ten times a second.
        self.unanswered = 0
        self._sending: dict[object, float] = {}

    @property
    def seen(self) -> Signals:
        """Return what is known of the pipeline now."""
        return self._seen

    def see(self, **signals: float) -> None:
        """Take new values of signals, and judge anew."""
        self._seen = replace(self._seen, **signals)
        before, self.verdict = self.verdict, judge(self.verdict, self._seen, self._limits, self._reopen_share)
        PRESSURE.set(self.verdict.pressure)
        if before.refusing != self.verdict.refusing:
            REFUSING.set(self.verdict.refusing)
            _log.warning(
                "admission", refusing=self.verdict.refusing, signal=self.verdict.worst, seen=self._seen
            )

    def admit(self) -> None:
        """Return where a command may enter; raises a 503 Problem with `Retry-After` where not.

        One that is in hand has entered: to refuse it now would waste what was done for it.
        """
        if not self.hand.has_mine and self.closed_by:
            raise self.refusal()

    @property
    def closed_by(self) -> str:
        """Return the signal by which a command would be refused now; nothing where it may enter."""
        if self.verdict.refusing:
            return self.verdict.worst
        return IN_HAND if self.hand.full else ""

    def refusal(self) -> Problem:
        """Return the problem of a refused command, and count it."""
        signal, verdict = self.closed_by, self.verdict
        REFUSED.labels(signal).inc()
        # Spread, or all who were refused would come back at once.
        seconds = round(verdict.retry_s * (1 + random.uniform(0, _SPREAD)))  # noqa: S311 -- no secret
        return Problem(
            503,
            "more is asked than can be processed in time; nothing was done, try again",
            kind="overloaded",
            headers={"Retry-After": str(seconds)},
            reason=signal,
        )

    @contextmanager
    def sending(self) -> Iterator[None]:
        """Note a command while the broker has not acknowledged it."""
        each = object()
        self._sending[each] = time.monotonic()
        try:
            yield
        finally:
            del self._sending[each]

    def look(self, loop_seconds: float) -> None:
        """Judge by what is in hand, and how late this process is."""
        # The oldest is the first: a dict keeps the order.
        oldest = next(iter(self._sending.values()), None)
        self.see(
            sending=len(self._sending),
            sending_seconds=0.0 if oldest is None else time.monotonic() - oldest,
            unanswered=self.unanswered,
            loop_seconds=loop_seconds,
        )


def _part(share: float, of: int) -> int:
    return max(1, int(share * of))
