import base64
from uuid import UUID

import pytest

from api import context, cursors
from api.prefer import applied, wait_seconds
from api.problems import Problem


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("", None),
        ("wait=5", 5.0),
        ("wait=500", 30.0),
        ("wait=0", None),
        ("wait=-1", None),
        ("wait=2.5", None),
        ("wait=abc", None),
        ("respond-async, wait=10", 10.0),
        ("Wait = 7 ; foo", 7.0),
        ('wait="3"', 3.0),
        ("await=5", None),
        ("wait=99999999", None),
    ],
)
def test_wait_is_read_as_rfc_7240_says_and_bounded(header: str | None, expected: float | None) -> None:
    assert wait_seconds(header, 30.0) == expected


def test_what_was_granted_is_said() -> None:
    assert applied(None) == {}
    assert applied(5.0) == {"Preference-Applied": "wait=5"}


@pytest.mark.parametrize("given", [None, "", "my-own-id", "x" * 500, "<script>"])
def test_a_correlation_id_that_is_no_uuid_is_replaced(given: str | None) -> None:
    assert UUID(context.accept_correlation_id(given)).version == 7


def test_a_uuid_is_kept_as_correlation_id() -> None:
    given = "01932c0e-7d1b-7a55-8f0e-2f1f4a5d9b11"
    assert context.accept_correlation_id(given) == given


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", True),
        ("00-00000000000000000000000000000000-00f067aa0ba902b7-01", False),
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", False),
        ("ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", False),
        ("nonsense", False),
        (None, False),
    ],
)
def test_only_a_well_formed_traceparent_travels_on(given: str | None, *, kept: bool) -> None:
    assert context.accept_traceparent(given) == (given if kept else None)


def test_a_cursor_comes_back_as_it_was() -> None:
    assert cursors.decode(cursors.encode("of", "Ä heart", 295), "of", (str, int)) == ("Ä heart", 295)


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "nonsense!",
        "ä",
        cursors.encode("of", "A"),
        cursors.encode("of", 1, "A"),
        cursors.encode("of", "A\x00", 1),
        cursors.encode("of", "A", 2**63),
        cursors.encode("of", "A", None),
        cursors.encode("another", "A", 1),
        base64.urlsafe_b64encode(b'["of","\\ud800",1]').decode(),
        base64.urlsafe_b64encode(b"[" * 700).decode(),
        base64.urlsafe_b64encode(b'["of","A",1e999]').decode(),
        cursors.encode("of", "x" * 2000, 1),
        "WyJBIix0cnVlXQ",
    ],
)
def test_what_is_no_cursor_of_the_list_is_refused(cursor: str) -> None:
    with pytest.raises(Problem) as refused:
        cursors.decode(cursor, "of", (str, int))
    assert refused.value.status == 422
    assert refused.value.errors is not None
    assert refused.value.errors[0].field == "cursor"
