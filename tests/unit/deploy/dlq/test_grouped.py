from dataclasses import replace

from deploy.dlq.grouped import grouped
from deploy.dlq.letter import Letter, read_letter
from tests.unit.deploy.dlq.test_letter import letter_record


def letter(domain: str, reason: str, failed_at: int) -> Letter:
    return replace(read_letter(letter_record()), domain=domain, reason=reason, failed_at=failed_at)


def test_one_fault_is_one_line_and_refused_rows_come_last() -> None:
    rows = [(letter("import", "zero_price", at),) for at in range(5)]
    real = [(letter("cart", "undecodable", 3), letter("cart", "undecodable", 9)), (letter("cart", "a", 1),)]
    more = [(letter("cart", "undecodable", 7),), (letter("import", "unpublishable", 1),)]
    found = grouped([*rows, *real, *more])
    assert [(each.domain, each.reason, each.count) for each in found] == [
        ("cart", "undecodable", 2),
        ("cart", "a", 1),
        ("import", "unpublishable", 1),
        ("import", "zero_price", 5),
    ]
    assert found[0].newest.failed_at == 7, "a record that two refused is one letter, its first"
    assert [each.refused_rows for each in found] == [False, False, False, True]
