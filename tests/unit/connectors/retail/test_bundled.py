"""The bundled file, read whole: what is known of it holds."""

import hashlib

from connectors.retail.catalogue import catalogue
from connectors.retail.figures import monthly
from connectors.retail.invoices import invoices
from connectors.retail.reading import BUNDLED, read_rows


def test_the_file_is_the_one_its_readme_names() -> None:
    readme = (BUNDLED.parent / "README.md").read_text()
    assert hashlib.sha256(BUNDLED.read_bytes()).hexdigest() in readme


def test_every_row_of_the_file_is_accounted_for() -> None:
    found = invoices(read_rows(BUNDLED))
    months = monthly(found)
    assert len(found) == 16_459
    assert sum(m.received_rows for m in months.values()) == 320_705
    assert all(m.balanced for m in months.values())
    assert list(months) == [*["2010-12"], *[f"2011-0{n}" for n in range(1, 9)]]
    december = months["2010-12"]
    assert (december.received_rows, december.accepted_rows) == (42_481, 42_208)
    assert (december.sales, december.returns) == (1559, 326)
    assert (december.gross, december.returned) == (82_374_614, 7_478_912)
    assert months["2011-08"].rejected_amount == -1_106_206
    # Two rows of PADS at 0.001 are all the file has below a cent.
    assert [m.rounding * 1000 for m in months.values() if m.rounding] == [-1, -1]
    products = catalogue(found)
    assert len(products) == 3540
    assert all(p.price > 0 and p.name for p in products.values())
    sold = sum(m.units_sold for m in months.values())
    assert sum(sum(p.needs.values()) for p in products.values()) == sold
