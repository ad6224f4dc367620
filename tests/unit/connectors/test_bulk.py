import pytest

from connectors.elasticsearch.bulk import Answer, answer, newest, operations
from connectors.elasticsearch.index import Document, Index, Patch, Write

DOCUMENT = Document("orders", "1", 3, {"total": 1})
PATCH = Patch("products", "a", "stock_version", 7, {"available": 2})


def test_the_newest_of_each_document_and_part() -> None:
    older = Document("orders", "1", 2, {})
    other_part = Patch("products", "a", "version", 1, {"name": "x"})
    batch: list[list[Write]] = [[older, PATCH], [DOCUMENT], [older, other_part]]
    assert newest(batch) == [(1, DOCUMENT), (0, PATCH), (2, other_part)]


def test_a_document_carries_an_external_version() -> None:
    assert operations([DOCUMENT], {}) == [
        {"index": {"_index": "orders", "_id": "1", "version": 3, "version_type": "external"}},
        {"total": 1},
    ]


def test_a_part_is_merged_under_its_own_guard() -> None:
    action, body = operations([PATCH], {"products": "products-2"})
    assert action == {"update": {"_index": "products-2", "_id": "a", "retry_on_conflict": 5}}
    assert body["script"]["params"] == {"guard": "stock_version", "version": 7, "fields": {"available": 2}}
    assert body["scripted_upsert"] is True


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
    ],
)
def test_what_an_items_status_means(write: Write, status: int, expected: Answer) -> None:
    assert answer(write, status) is expected


def test_an_indexs_first_name() -> None:
    assert Index("orders", {}, {}).first == "orders-000001"
