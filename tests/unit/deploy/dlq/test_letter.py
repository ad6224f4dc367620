import pytest

from deploy.dlq.letter import Letter, causes, consumers, distinct, matches, read_letter
from deploy.dlq.marks import Mark, State, encode, read_marks
from deploy.output import shown
from deploy.records.record import Record
from deploy.tap.text import moment
from topics.dead_letter import letter_headers
from topics.registry import DEAD_LETTERS, ORDER_CANCEL

HEADERS = {"traceparent": "00-abc", "redrive_of": "earlier"} | letter_headers(
    consumer="ecommerce.streams",
    topic=ORDER_CANCEL.name,
    partition=1,
    offset=42,
    reason="undecodable",
    failed_at=5_000,
    error="value: magic byte is 112, must be 0",
    attempt=2,
)


def letter_record(offset: int = 0, headers: dict[str, str] | None = None) -> Record:
    chosen = HEADERS if headers is None else headers
    pairs = tuple((name, value.encode()) for name, value in chosen.items())
    return Record(DEAD_LETTERS["order"].name, 0, offset, 9_000, b"key", b"poison", pairs)


def test_reads_what_failed_where_and_why() -> None:
    letter = read_letter(letter_record())
    assert letter.id == HEADERS["id"]
    assert letter.domain == "order"
    assert letter.source == f"{ORDER_CANCEL.name}/1/42"
    assert (letter.reason, letter.attempt, letter.failed_at) == ("undecodable", 2, 5_000)


def test_a_letter_without_headers_is_named_by_where_it_lies() -> None:
    first, second = (read_letter(letter_record(offset, {})) for offset in (0, 1))
    assert first.id != second.id
    assert (first.reason, first.attempt, first.source, first.failed_at) == ("unknown", 1, "-", 9_000)


def test_the_next_attempt_has_the_records_own_headers_and_says_whose_it_is() -> None:
    letter = read_letter(letter_record())
    assert letter.redrive_headers == (
        ("traceparent", b"00-abc"),
        ("attempt", b"3"),
        ("redrive_of", letter.id.encode()),
    )


def test_matches_by_reason_and_by_the_beginning_of_an_id() -> None:
    letter = read_letter(letter_record())
    assert matches(letter, None, ())
    assert matches(letter, "undec*", (letter.id[:8],))
    assert not matches(letter, "handler_failed", ())
    assert not matches(letter, None, ("0" * 8,))


def test_the_same_failure_twice_is_one_letter() -> None:
    letters = [read_letter(letter_record(offset)) for offset in (3, 4)]
    assert distinct(letters) == letters[:1]


def test_the_last_mark_of_a_letter_counts() -> None:
    started = Mark(State.STARTED, ORDER_CANCEL.name, {0: 7, 1: 9}, 1)
    done = Mark(State.DONE, ORDER_CANCEL.name, {0: 7, 1: 9}, 1)
    marks = [
        Record("marks", 0, offset, 0, key, None if mark is None else encode(mark))
        for offset, (key, mark) in enumerate(
            [(b"a", started), (b"b", started), (b"a", done), (None, done), (b"c", None)]
        )
    ]
    assert read_marks(marks) == {"a": done, "b": started}


def test_one_record_that_several_could_not_handle_is_one_cause() -> None:
    def of(consumer: str, offset: str = "42") -> Letter:
        told = {"id": f"{consumer}-{offset}", "consumer": consumer, "source_offset": offset}
        return read_letter(letter_record(headers=HEADERS | told))

    nowhere = [read_letter(letter_record(offset, {})) for offset in (0, 1)]
    letters = [of("postgres"), of("postgres", "43"), *nowhere, of("redis"), of("postgres")]
    found = causes(letters)
    assert [len(cause) for cause in found] == [3, 1, 1, 1]
    assert [consumers(cause) for cause in found] == [("postgres", "redis"), ("postgres",), (), ()]


@pytest.mark.parametrize("number", ["9" * 5_000, "\N{SUPERSCRIPT TWO}", "--1", "-", "", "x"])
def test_a_header_that_is_no_number_is_none(number: str) -> None:
    odd = dict.fromkeys(("attempt", "source_partition", "source_offset", "failed_at"), number)
    letter = read_letter(letter_record(headers=HEADERS | odd))
    assert (letter.attempt, letter.source_offset, letter.failed_at) == (1, None, 9_000)


@pytest.mark.parametrize(
    ("failed_at", "seen"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (-62_135_596_800_000, "0001-01-01T00:00:00.000Z"),
        (2**62, f"{2**62} ms"),
    ],
)
def test_a_time_that_is_no_date_is_shown_all_the_same(failed_at: int, seen: str) -> None:
    assert moment(failed_at) == seen


def test_text_of_others_is_shown_as_it_is() -> None:
    assert shown("[/JIRA-12] \x1b[2J \N{SNOWMAN}\nx").plain == "[/JIRA-12] \\x1b[2J \N{SNOWMAN}\nx"


def test_an_odd_mark_hides_no_letter() -> None:
    record = Record("marks", 0, 0, 0, b"id", b"{odd", ())
    assert read_marks([record]) == {}
