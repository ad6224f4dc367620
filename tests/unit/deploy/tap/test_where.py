import pytest

from deploy.errors import CommandError
from deploy.tap.where import Where

ROW = {
    "topic": "ecommerce.order.confirmed",
    "headers": {"trace-id": "7"},
    "data": {
        "status": "confirmed",
        "total": 1_500,
        "email": None,
        "items": [{"sku": "A"}, {"sku": "B"}],
        "address": {"country": "France"},
    },
}


@pytest.mark.parametrize(
    "expression",
    [
        'data.status == "confirmed" and data.total > 1000',
        'data.address.country in ["France", "Spain"]',
        'any(item.sku == "B" for item in data.items)',
        "len(data.items) == 2",
        'headers["trace-id"] == "7"',
        'topic.startswith("ecommerce.order")',
        "data.email is None",
        "not (data.total < 1000)",
    ],
)
def test_matches(expression: str) -> None:
    assert Where(expression)(ROW)


def test_a_record_without_the_field_does_not_match_and_is_counted() -> None:
    where = Where("data.totl > 3")
    assert not where(ROW)
    assert not where({"data": None})
    assert where.lacking == 2
    assert where.missing == "totl"


def test_null_is_not_compared_with_a_number() -> None:
    where = Where("data.email > 3")
    assert not where(ROW)
    assert where.lacking == 1


@pytest.mark.parametrize("expression", ["", "data.total >", "a = 2", "import os", "x; y"])
def test_refuses_what_is_no_expression(expression: str) -> None:
    with pytest.raises(CommandError, match="--where"):
        Where(expression)


@pytest.mark.parametrize(
    "expression",
    [
        "__import__('os').system('true')",
        "open('/etc/passwd')",
        "data.__class__",
        "().__class__.__bases__",
        "'{0.__class__}'.format(data)",
        "9 ** 9 ** 9",
    ],
)
def test_refuses_what_reaches_out_of_the_record(expression: str) -> None:
    with pytest.raises(CommandError, match="--where"):
        Where(expression)(ROW)


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("data.total >", "invalid syntax"),
        ('data.total > "1000"', "not supported between"),
        ("data.total()", "not"),
        ("\0", "--where"),
        ("(" * 500 + "1" + ")" * 500, "--where"),
        ("nothing(data.total)", "nothing"),
    ],
)
def test_an_expression_that_never_fits_is_told_in_one_line(expression: str, said: str) -> None:
    with pytest.raises(CommandError, match=said) as refused:
        Where(expression)(ROW)
    assert "\n" not in str(refused.value)


def test_a_field_that_holds_nothing_is_counted_and_no_error() -> None:
    where = Where("data.email > 3")
    assert not where(ROW)
    assert where.lacking == 1
