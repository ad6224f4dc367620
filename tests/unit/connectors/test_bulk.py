import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.elasticsearch.bulk import Answer, answer, lanes, newest, operation, requests
from connectors.elasticsearch.index import Deletion, Document, Index, Patch, Write

DOCUMENT = Document("orders", "1", 3, {"total": 1})
PATCH = Patch("products", "a", "stock_version", 7, {"available": 2})
DELETION = Deletion("orders", "1", 4)


def test_the_newest_of_each_document_and_part() -> None:
    older = Document("orders", "1", 2, {})
    other_part = Patch("products", "a", "version", 1, {"name": "x"})
    batch: list[list[Write]] = [[older, PATCH], [DOCUMENT], [older, other_part]]
    assert newest(batch) == [(1, DOCUMENT), (0, PATCH), (2, other_part)]


def test_a_document_carries_an_external_version() -> None:
    assert operation(DOCUMENT, {}) == [
        {"index": {"_index": "orders", "_id": "1", "version": 3, "version_type": "external"}},
        {"total": 1},
    ]


def test_a_part_is_merged_under_its_own_guard() -> None:
    action, body = operation(PATCH, {"products": "products-2"})
    assert action == {"update": {"_index": "products-2", "_id": "a", "retry_on_conflict": 5}}
    assert body["script"]["params"] == {"guard": "stock_version", "version": 7, "fields": {"available": 2}}
    assert body["scripted_upsert"] is True


def test_a_deletion_carries_an_external_version_too() -> None:
    assert operation(DELETION, {}) == [
        {"delete": {"_index": "orders", "_id": "1", "version": 4, "version_type": "external"}}
    ]
    assert newest([[DELETION], [DOCUMENT]]) == [(0, DELETION)]


@given(st.lists(st.integers(0, 30), max_size=30), st.integers(1, 40))
def test_requests_keep_to_their_size_and_to_the_order(lengths: list[int], size: int) -> None:
    operations = [[b"x" * length, b"%d" % place] for place, length in enumerate(lengths)]
    made = list(requests(operations, size))
    assert [each for request in made for each in request] == operations
    for request in made:
        assert len(request) == 1 or sum(len(line) + 1 for each in request for line in each) <= size


@given(st.lists(st.tuples(st.integers(), st.sampled_from("abcdef")), max_size=30), st.integers(1, 3))
def test_what_is_sent_at_once_leaves_a_documents_parts_together(
    given: list[tuple[int, str]], count: int
) -> None:
    writes: list[tuple[int, Write]] = [(place, Deletion("orders", name, 1)) for place, name in given]
    divided = lanes(writes, count)
    assert len(divided) <= count
    assert sorted(each for lane in divided for each in lane) == sorted(writes)
    for name in {write.id for _, write in writes}:
        (lane,) = [lane for lane in divided if any(write.id == name for _, write in lane)]
        mine = [each for each in writes if each[1].id == name]
        assert [each for each in lane if each[1].id == name] == mine


def test_an_index_that_is_gone_is_no_deleted_document() -> None:
    assert answer(DELETION, 404, missing_index=True) is Answer.AGAIN


def test_what_an_open_index_takes_makes_no_other_index() -> None:
    calm = Index("orders", {}, {}, {"refresh_interval": "30s"})
    assert calm.declaration == Index("orders", {}, {}).declaration
    assert calm.body["settings"] == {"refresh_interval": "30s"}


@pytest.mark.parametrize(
    ("write", "status", "expected"),
    [
        (DOCUMENT, 200, Answer.DONE),
        (DOCUMENT, 201, Answer.DONE),
        (DOCUMENT, 409, Answer.DONE),
        (PATCH, 409, Answer.AGAIN),
        (PATCH, 400, Answer.REFUSED),
        (DOCUMENT, 413, Answer.REFUSED),
        (DOCUMENT, 404, Answer.AGAIN),
        (DOCUMENT, 429, Answer.AGAIN),
        (PATCH, 503, Answer.AGAIN),
        (DOCUMENT, 403, Answer.AGAIN),
        (DELETION, 200, Answer.DONE),
        (DELETION, 404, Answer.DONE),
        (DELETION, 409, Answer.DONE),
    ],
)
def test_what_an_items_status_means(write: Write, status: int, expected: Answer) -> None:
    assert answer(write, status) is expected


def test_an_indexs_first_name() -> None:
    assert Index("orders", {}, {}).first == "orders-000001"
