"""The dead letters behind the ops pages: the same as behind the command line."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Lock

import msgspec

from api.ops import desk
from api.problems import Problem, not_found, unavailable
from deploy.dlq.edit import UnsoundEditError, editable, mended
from deploy.dlq.letter import Letter, causes, consumers, matches
from deploy.dlq.redrive import Outcome, discard, load, redrive
from deploy.errors import CommandError
from deploy.tap.decoding import decode
from topics.dead_letter import STACK
from topics.settings import Settings


class TopicDesk:
    """Reads the dead-letter topics and sends to their sources; one action at a time in this process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._acting = Lock()

    def letters(self, domain: str | None, reason: str | None) -> Sequence[desk.Letter]:
        """Return the letters of a domain and with a reason, the newest first."""
        with _problems():
            found = [one for one in load(self._settings, domain) if matches(one, reason, ())]
            return [_row(cause) for cause in reversed(causes(found))]

    def open(self, identity: str) -> desk.OpenLetter:
        """Return one letter whole."""
        letter, *others = self._found((identity,))
        row = decode(letter.record)
        text = editable(letter)
        content = text if "error" not in row and text is not None else row.get("value")
        return desk.OpenLetter(
            letter=_row((letter, *others)),
            headers={name: value or "" for name, value in row["headers"].items() if name != STACK},
            stack=letter.record.header(STACK) or "",
            content=content or msgspec.json.encode(row["data"]).decode(),
            text=text,
        )

    def redrive(self, ids: Sequence[str], by: str) -> desk.Outcome:
        """Send letters again as they were."""
        with self._acting, _problems():
            return _told(redrive(self._settings, self._found(ids), by))

    def redrive_edited(self, identity: str, text: str, by: str) -> desk.Outcome:
        """Send one letter again with an edited message."""
        letter, *_ = self._found((identity,))
        with self._acting, _problems():
            return _told(redrive(self._settings, [letter], by, {letter.id: mended(letter, text)}))

    def discard(self, ids: Sequence[str], by: str, note: str) -> desk.Outcome:
        """Mark letters as not to be sent."""
        with self._acting, _problems():
            return _told(discard(self._settings, self._found(ids), by, note))

    def _found(self, ids: Sequence[str]) -> list[Letter]:
        with _problems():
            by_id = {letter.id: letter for letter in load(self._settings)}
        if unknown := [one for one in ids if one not in by_id]:
            raise not_found(f"dead letter {unknown[0]}")
        # The letters asked for, each followed by those that other consumers have of the same record.
        together = {one.id: cause for cause in causes(by_id.values()) for one in cause}
        asked = dict.fromkeys(other for one in ids for other in (one, *(each.id for each in together[one])))
        return [by_id[one] for one in asked]


@contextmanager
def _problems() -> Iterator[None]:
    try:
        yield
    except UnsoundEditError as error:
        raise Problem(422, str(error)) from error
    except CommandError as error:
        raise unavailable("the message broker") from error


def _row(cause: Sequence[Letter]) -> desk.Letter:
    letter = cause[0]
    return desk.Letter(
        id=letter.id,
        domain=letter.domain,
        reason=letter.reason,
        error=letter.error,
        source=letter.source,
        key=letter.record.key_text,
        attempt=letter.attempt,
        failed_at=letter.failed_at,
        standing=letter.standing.value,
        by=letter.mark.by if letter.mark else "",
        note=letter.mark.note if letter.mark else "",
        consumers=consumers(cause),
    )


def _told(outcome: Outcome) -> desk.Outcome:
    return desk.Outcome(len(outcome.sent), len(outcome.already), outcome.refused)
