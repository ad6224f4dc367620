from tests.simulation.page import PAGE, renewed


def test_the_page_lists_the_planted_bugs_as_they_are() -> None:
    page = PAGE.read_text()
    assert renewed(page) == page
