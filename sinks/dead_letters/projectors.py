"""Dead letters as rows. Whatever a letter holds it becomes a row: there is no other place for it to go."""

from connectors.runtime.record import Record
from sinks.columns import instant, json_text
from sinks.dead_letters.rows import DeadLetterRow
from topics import dead_letter as header

_MAX_ID = 200
_MAX_INTEGER = 2**31 - 1
_MAX_BIGINT = 2**63 - 1
_YEAR_10000_MS = 253_402_300_800_000


def dead_letter_row(record: Record) -> tuple[DeadLetterRow]:
    """Return the letter; never raises. Text that no column can hold is made fit, the value is left alone."""
    headers = {_text(name): _text(value) for name, value in record.own_headers.items()}
    failed_at = _number(headers.get(header.FAILED_AT), _YEAR_10000_MS - 1)
    return (
        DeadLetterRow(
            id=_id(record, headers),
            domain=record.topic.rsplit(".", 1)[-1],
            dlq_topic=record.topic,
            dlq_partition=record.partition,
            dlq_offset=record.offset,
            source_topic=headers.get(header.SOURCE_TOPIC),
            source_partition=_number(headers.get(header.SOURCE_PARTITION), _MAX_INTEGER),
            source_offset=_number(headers.get(header.SOURCE_OFFSET), _MAX_BIGINT),
            key=None if record.key is None else _text(record.key.decode(errors="replace")),
            value=record.value,
            reason=headers.get(header.REASON, "unknown")[:_MAX_ID],
            error=headers.get(header.ERROR),
            stack=headers.get(header.STACK),
            attempt=_number(headers.get(header.ATTEMPT), _MAX_INTEGER) or 1,
            headers=json_text(headers),
            failed_at=instant("failed_at", record.timestamp if failed_at is None else failed_at),
        ),
    )


def _id(record: Record, headers: dict[str, str]) -> str:
    given = headers.get(header.ID, "")
    return given if 0 < len(given) <= _MAX_ID else f"{record.topic}:{record.partition}:{record.offset}"


def _text(text: str) -> str:
    return text.replace("\x00", "\N{REPLACEMENT CHARACTER}")


def _number(text: str | None, largest: int) -> int | None:
    if text is None or not text.isascii() or not text.isdigit() or len(text) > len(str(largest)):
        return None
    number = int(text)
    return number if number <= largest else None
