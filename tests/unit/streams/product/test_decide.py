"""Products: created, changed, taken off sale; each command once."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.envelope import Message
from schemas.product import ProductCreate, ProductDelete, ProductRejected, ProductUpdate
from streams.kernel.flow import Decision
from streams.product import decide
from streams.product.policy import ProductPolicy
from tables.product import Product
from tests.unit.streams.said import T0, only, said, sent
from topics.registry import (
    PRODUCT_CREATE,
    PRODUCT_CREATED,
    PRODUCT_DELETE,
    PRODUCT_DELETED,
    PRODUCT_REJECTED,
    PRODUCT_UPDATE,
    PRODUCT_UPDATED,
)

POLICY = ProductPolicy()
SKU = "85123A"
LANTERN = ProductCreate("Lantern", 255, "GBP", "White metal", ("Lighting",), 5)


def creation(
    name: str = "first", at: int = T0, data: ProductCreate = LANTERN, sku: str = SKU
) -> Message[Any]:
    return said(PRODUCT_CREATE, sku, data, name=name, at=at)


def on_sale() -> Product:
    state = decide.create(POLICY, None, creation()).state
    assert state is not None
    return state


def refusal(decision: Decision[Product]) -> ProductRejected:
    assert sent(decision) == [PRODUCT_REJECTED]
    return only(decision, PRODUCT_REJECTED).data


def test_a_product_is_created_with_all_it_is() -> None:
    decision = decide.create(POLICY, None, creation())
    created = only(decision, PRODUCT_CREATED)
    assert (created.key, created.version) == (SKU, 1)
    assert created.data.name == "Lantern"
    assert (created.data.price, created.data.currency, created.data.active) == (255, "GBP", True)
    assert (created.data.created_at, created.data.updated_at) == (T0, T0)
    assert decision.state is not None
    assert decision.state.snapshot == created.data


def test_the_same_creation_twice_is_one() -> None:
    state = on_sale()
    again = decide.create(POLICY, state, creation())
    assert again.state is state
    assert again.outputs == ()


def test_another_creation_of_what_is_on_sale_is_refused() -> None:
    decision = decide.create(POLICY, on_sale(), creation("second"))
    assert refusal(decision).reason == "already_exists"
    assert refusal(decision).command == PRODUCT_CREATE.name
    assert decision.state is not None
    assert decision.state.snapshot == on_sale().snapshot


def test_an_update_changes_what_it_gives_and_nothing_else() -> None:
    message = said(PRODUCT_UPDATE, SKU, ProductUpdate(price=300), at=T0 + 5)
    decision = decide.update(POLICY, on_sale(), message)
    event = only(decision, PRODUCT_UPDATED)
    assert event.version == 2
    assert event.data == msgspec.structs.replace(on_sale().snapshot, price=300, updated_at=T0 + 5)
    assert decide.update(POLICY, decision.state, message).outputs == ()


def test_an_update_of_nothing_is_refused() -> None:
    decision = decide.update(POLICY, on_sale(), said(PRODUCT_UPDATE, SKU, ProductUpdate()))
    assert refusal(decision).reason == "empty_update"


def test_an_update_may_not_make_a_product_unsound() -> None:
    decision = decide.update(POLICY, on_sale(), said(PRODUCT_UPDATE, SKU, ProductUpdate(price=0)))
    assert (refusal(decision).reason, refusal(decision).field) == ("invalid_price", "price")


def test_a_deleted_product_is_inactive_and_comes_back_with_a_higher_version() -> None:
    message = said(PRODUCT_DELETE, SKU, ProductDelete(), at=T0 + 1)
    deleted = decide.delete(POLICY, on_sale(), message)
    assert only(deleted, PRODUCT_DELETED).data.active is False
    assert decide.delete(POLICY, deleted.state, message).outputs == ()
    revived = decide.create(POLICY, deleted.state, creation("second", T0 + 2))
    assert only(revived, PRODUCT_CREATED).version == 3
    assert only(revived, PRODUCT_CREATED).data.active is True


@pytest.mark.parametrize("gone", [False, True])
def test_what_is_not_on_sale_cannot_be_changed_or_deleted(gone: bool) -> None:  # noqa: FBT001 - parametrized
    state = None
    if gone:
        state = decide.delete(POLICY, on_sale(), said(PRODUCT_DELETE, SKU, ProductDelete())).state
    update = decide.update(POLICY, state, said(PRODUCT_UPDATE, SKU, ProductUpdate(price=1), name="late"))
    delete = decide.delete(POLICY, state, said(PRODUCT_DELETE, SKU, ProductDelete(), name="late"))
    assert refusal(update).reason == refusal(delete).reason == "unknown_sku"
    assert (update.state is None) is not gone


@pytest.mark.parametrize(
    ("sku", "change", "reason", "field"),
    [
        ("", {}, "invalid_sku", "sku"),
        ("-x", {}, "invalid_sku", "sku"),
        ("a" * 65, {}, "invalid_sku", "sku"),
        ("ümlaut", {}, "invalid_sku", "sku"),
        (SKU, {"name": "  "}, "invalid_name", "name"),
        (SKU, {"name": "n" * 201}, "invalid_name", "name"),
        (SKU, {"description": "d" * 10_001}, "invalid_description", "description"),
        (SKU, {"price": 0}, "invalid_price", "price"),
        (SKU, {"price": -1}, "invalid_price", "price"),
        (SKU, {"price": 100_000_001}, "invalid_price", "price"),
        (SKU, {"currency": "ZZZ"}, "invalid_currency", "currency"),
        (SKU, {"currency": "gbp"}, "invalid_currency", "currency"),
        (SKU, {"low_stock_threshold": -1}, "invalid_threshold", "low_stock_threshold"),
        (SKU, {"low_stock_threshold": 1_000_001}, "invalid_threshold", "low_stock_threshold"),
        (SKU, {"categories": tuple(map(str, range(21)))}, "invalid_categories", "categories"),
        (SKU, {"categories": ("a", "a")}, "invalid_categories", "categories"),
        (SKU, {"categories": (" ",)}, "invalid_categories", "categories"),
        (SKU, {"categories": ("c" * 101,)}, "invalid_categories", "categories"),
    ],
)
def test_an_unsound_product_is_refused_with_its_field(
    sku: str, change: dict[str, Any], reason: str, field: str
) -> None:
    data = msgspec.structs.replace(LANTERN, **change)
    decision = decide.create(POLICY, None, creation(data=data, sku=sku))
    assert (refusal(decision).reason, refusal(decision).field) == (reason, field)
    assert decision.state is None


@pytest.mark.parametrize("sku", ["85123A", "15056BL", "gift_0001_40", "DCGSSBOY", "BANK CHARGES", "A-1/2.3"])
def test_real_stock_codes_are_skus(sku: str) -> None:
    assert sent(decide.create(POLICY, None, creation(sku=sku))) == [PRODUCT_CREATED]


COMMANDS = st.one_of(
    st.builds(
        lambda price: (PRODUCT_CREATE, msgspec.structs.replace(LANTERN, price=price)), st.integers(0, 9)
    ),
    st.builds(lambda price: (PRODUCT_UPDATE, ProductUpdate(price=price)), st.none() | st.integers(-1, 9)),
    st.just((PRODUCT_DELETE, ProductDelete())),
)
HANDLERS: dict[str, Any] = {
    PRODUCT_CREATE.name: decide.create,
    PRODUCT_UPDATE.name: decide.update,
    PRODUCT_DELETE.name: decide.delete,
}


@given(st.lists(st.tuples(st.integers(0, 9), COMMANDS), max_size=30))
def test_any_commands_in_any_order_keep_a_product_sound(steps: list[tuple[int, Any]]) -> None:
    state: Product | None = None
    version = 0
    for name, (topic, data) in steps:
        message = said(topic, SKU, data, name=str(name))
        decision = HANDLERS[topic.name](POLICY, state, message)
        for out in decision.outputs:
            if out.topic is PRODUCT_REJECTED:
                assert (state and state.snapshot) == (decision.state and decision.state.snapshot)
            else:
                assert out.version == version + 1
                version = out.version
                assert out.data.price > 0
        state = decision.state
        if state is not None:
            again = HANDLERS[topic.name](POLICY, state, message)
            assert (again.state, again.outputs) == (state, ())
