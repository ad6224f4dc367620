"""What is brought in beside the months' receipts."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from connectors.retail.catalogue import Product
from connectors.retail.identity import receipt_id
from deploy.demo.shelf import LEAST_PIECES, Level, restocks, shelf

MONTHS = ("2010-12", "2011-01", "2011-02")
amounts = st.integers(0, 500)


def product(*needs: int) -> Product:
    return Product("A", "A", "A", "Home", 100, {m: n for m, n in zip(MONTHS, needs, strict=False) if n})


def brought(item: Product, level: Level, sells: dict[str, Counter[str]], received: set[str]) -> int:
    return sum(out.message.data.quantity for out in restocks([item], {"A": level}, sells, received))


def test_a_shelf_holds_a_month_s_need() -> None:
    assert shelf(product(100, 200, 300)) == 200
    assert shelf(product(1)) == shelf(product()) == LEAST_PIECES


def test_a_rerun_brings_in_nothing_and_a_shopper_s_purchase_is_made_good() -> None:
    item = product(120)
    full = shelf(item)
    assert brought(item, Level(full, 7), {}, set()) == 0
    assert brought(item, Level(full - 3, 8), {}, set()) == 3
    (first,) = restocks([item], {"A": Level(5, 8)}, {}, set())
    (again,) = restocks([item], {"A": Level(5, 8)}, {}, set())
    (later,) = restocks([item], {"A": Level(5, 9)}, {}, set())
    assert first.message.event_id == again.message.event_id != later.message.event_id


@given(
    st.lists(st.tuples(amounts, st.floats(0, 1), st.booleans()), min_size=1, max_size=3),
    st.integers(0, 2000),
)
def test_no_month_runs_short_and_the_shelf_is_full_at_the_end(
    months: list[tuple[int, float, bool]], available: int
) -> None:
    item = product(*(need for need, *_ in months))
    sells = {m: Counter({"A": int(need * part)}) for m, (need, part, _) in zip(MONTHS, months, strict=False)}
    received = {receipt_id("A", m) for m, (*_, there) in zip(MONTHS, months, strict=False) if there}
    stock = available + brought(item, Level(available, 1), sells, received)
    for month in sells:
        if receipt_id("A", month) not in received:
            stock += item.needs.get(month, 0)
        stock -= sells[month]["A"]
        assert stock >= shelf(item)
