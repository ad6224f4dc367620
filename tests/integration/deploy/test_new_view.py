"""docs/adding-a-view.md, executed as it stands: in a copy of the repository, until all is green."""

import re
from pathlib import Path

import pytest

from deploy.errors import CommandError
from deploy.new.views import write_view
from tests.integration.deploy.test_new_domain import ROOT, contents, run

PAGE = (ROOT / "docs/adding-a-view.md").read_text()
COMMANDS = re.findall(r"(?m)^\$ (.*)$", PAGE)


@pytest.mark.timeout(900)
def test_the_page_adds_a_view_down_to_green_checks(copy: Path) -> None:
    before = contents(copy)
    first, *rest = COMMANDS
    assert first == "ecommerce new view inventory.low_stock low_stock"
    run(first, copy)
    after = contents(copy)
    assert {name for name in before if after[name] != before[name]} == set()
    module, migration = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert (copy / "sinks/inventory/low_stock.py").read_text() == module
    (made,) = (copy / "sinks/migrations/versions").glob("*_low_stock.py")
    assert re.sub(r'revision = "\d+"', 'revision = "N"', made.read_text()) == re.sub(
        r'revision = "\w+"', 'revision = "N"', migration
    )
    for command in rest:
        run(command, copy)


def test_what_cannot_be_a_view_is_refused(copy: Path) -> None:
    before = contents(copy)
    for topic, name in (
        ("inventory.low_stock", "orders"),
        ("inventory.low_stock", "Low"),
        ("inventory.updated", "levels"),
        ("inventory.line_reserved", "lines"),
        ("cart.add", "adds"),
        ("nothing.at_all", "things"),
        ("user.registered", "registrations"),
    ):
        with pytest.raises(CommandError):
            write_view(topic, name, copy)
    assert contents(copy) == before
