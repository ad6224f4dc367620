from typing import Any

import msgspec
import pytest

from connectors.retail.identity import cart_id, order_id, row_id, user_id
from connectors.retail.invoices import Invoice, invoices
from connectors.retail.row import Row
from deploy.demo.translate import LINES_PER_ADD, Outgoing, letters, messages
from schemas.cart import CartAdd, CartLine
from schemas.checkout import Charge, CheckoutRequested
from schemas.order import OrderReturn
from tests.unit.connectors.retail.rows import DECEMBER, row
from topics import dead_letter
from topics.registry import CART_ADD, CHECKOUT_REQUESTED, DEAD_LETTERS, ORDER_RETURN
from topics.wire import decode, encode


def one(*rows: Row) -> Invoice:
    (invoice,) = invoices(rows)
    return invoice


def sent(invoice: Invoice) -> list[Outgoing]:
    return list(messages(invoice, "GBP"))


def test_a_sale_is_a_cart_that_is_filled_and_checked_out() -> None:
    add, checkout = sent(one(row(1), row(2, stock_code="POST", quantity=1, unit_price="18")))
    assert (add.topic, add.key) == (CART_ADD, cart_id("536365"))
    assert add.message.data == CartAdd(lines=(CartLine("1", "85123A", 6, 255),))
    assert (checkout.topic, checkout.key) == (CHECKOUT_REQUESTED, cart_id("536365"))
    data: Any = checkout.message.data
    assert isinstance(data, CheckoutRequested)
    assert data.order_id == order_id("536365")
    assert data.charges == (Charge("POST", "WHITE HANGING HEART T-LIGHT HOLDER", 1, 1800),)
    assert (data.expected_lines, data.placed_at, data.currency) == (1, DECEMBER, "GBP")
    assert data.address is not None
    assert (data.address.name, data.address.country) == ("Customer 17850", "United Kingdom")
    assert checkout.message.user_id == user_id("17850")


def test_the_same_code_twice_stays_two_lines_at_their_own_prices() -> None:
    add, _ = sent(one(row(1), row(2, unit_price="2.95")))
    assert [(line.line_id, line.sku, line.agreed_price) for line in add.message.data.lines] == [
        ("1", "85123A", 255),
        ("2", "85123A", 295),
    ]


def test_a_long_invoice_is_added_in_parts() -> None:
    *adds, checkout = sent(one(*[row(n) for n in range(2 * LINES_PER_ADD + 5)]))
    assert [len(add.message.data.lines) for add in adds] == [LINES_PER_ADD, LINES_PER_ADD, 5]
    assert checkout.message.data.expected_lines == 2 * LINES_PER_ADD + 5
    assert len({add.message.event_id for add in adds}) == 3


def test_a_sale_of_charges_alone_is_a_checkout_of_an_empty_cart() -> None:
    (checkout,) = sent(one(row(stock_code="M")))
    assert checkout.message.data.expected_lines == 0


def test_a_guests_sale_has_no_user() -> None:
    add, checkout = sent(one(row(customer_id=None)))
    assert add.message.user_id is checkout.message.user_id is None
    assert checkout.message.data.address.name == "Guest"


def test_a_return_is_one_command_with_positive_amounts() -> None:
    (out,) = sent(
        one(
            row(1, invoice_no="C1", quantity=-2),
            row(2, invoice_no="C1", stock_code="D", quantity=-1, unit_price="27.5"),
        )
    )
    assert (out.topic, out.key) == (ORDER_RETURN, order_id("C1"))
    data: Any = out.message.data
    assert isinstance(data, OrderReturn)
    assert [(line.sku, line.quantity, line.unit_price) for line in data.lines] == [("85123A", 2, 255)]
    assert [(charge.code, charge.quantity, charge.amount) for charge in data.charges] == [("D", 1, 2750)]


def test_a_wholly_rejected_invoice_sends_no_command() -> None:
    assert sent(one(row(unit_price="0"))) == []


def test_a_repeated_replay_repeats_its_ids() -> None:
    again = [[out.message.event_id for out in sent(one(row(1), row(2)))] for _ in range(2)]
    assert again[0] == again[1]


@pytest.mark.parametrize("invoice_no", ["536365", "C536365"])
def test_messages_fit_their_schemas(invoice_no: str) -> None:
    quantity = -6 if invoice_no.startswith("C") else 6
    for out in sent(one(row(invoice_no=invoice_no, quantity=quantity))):
        assert decode(out.topic, encode(out.topic, out.message)) == out.message


def test_a_rejected_row_becomes_a_dead_letter_that_names_file_row_and_rule() -> None:
    rows = (row(7), row(8, unit_price="0", description=None))
    (letter,) = letters(one(*rows), "sales.csv")
    assert letter.topic == DEAD_LETTERS["import"]
    assert letter.headers[dead_letter.ID] == row_id("536365", 2)
    assert letter.headers[dead_letter.REASON] == "zero_price"
    assert letter.headers[dead_letter.ERROR] == "UnitPrice: must not be zero"
    assert (letter.headers["file"], letter.headers["row"]) == ("sales.csv", "8")
    assert msgspec.json.decode(letter.value, type=Row) == rows[1]
