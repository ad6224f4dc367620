"""No pattern and no validator's jargon reaches whoever is told of a fault."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from api import wording
from api.app import create_app
from api.auth.tokens import Role
from api.checkout.models import CheckoutRequest
from api.pages import faults
from api.settings import ApiSettings
from tests.unit.api.conftest import World
from topics.settings import Settings

JARGON = re.compile(r"\^|\$|\[|\\\\|pattern|Value error|Assertion|urn:uuid")
CART = {"X-Cart-Id": "3f0c3d4e-0f3c-4b8e-9d0a-6a1f6b8f7c21"}
ADDRESS = {"name": "a\0", "country": "GB", "line1": "b", "city": "c", "postcode": "SW1Y 4JH"}
BUY = {"cart_version": 1, "total": 1, "address": ADDRESS, "email": "a@example.com"}


def patterns(document: Any) -> Iterator[str]:
    if isinstance(document, dict):
        if isinstance(document.get("pattern"), str):
            yield document["pattern"]
        for each in document.values():
            yield from patterns(each)
    elif isinstance(document, list):
        for each in document:
            yield from patterns(each)


def test_every_pattern_of_the_api_has_its_words(settings: Settings) -> None:
    found = set(patterns(create_app(settings, ApiSettings()).openapi()))
    assert found == set(wording.PATTERNS)


@pytest.mark.parametrize(
    ("method", "path", "body", "headers"),
    [
        ("POST", "/api/v1/checkout", BUY, {"Idempotency-Key": "k"}),
        ("POST", "/api/v1/checkout", {**BUY, "payment_token": "a b"}, {"Idempotency-Key": "a b"}),
        ("POST", "/api/v1/checkout", {**BUY, "email": "no"}, {"Idempotency-Key": "k"}),
        ("POST", "/api/v1/cart/items", {"sku": "-"}, {}),
        ("POST", "/api/v1/login", {"email": "a@example.com", "password": "x", "cart_id": "x"}, {}),
        ("POST", "/api/v1/inventory/A/receive", {"quantity": 1, "receipt_id": "a b"}, {}),
        ("POST", "/api/v1/inventory/A/receive", {"quantity": 1, "reason": "a\0"}, {}),
        ("GET", "/api/v1/orders/no-uuid", None, {}),
        ("GET", "/api/v1/dead-letters?domain=nowhere", None, {}),
        ("GET", "/subjects/ecommerce.cart.add-value/versions/x", None, {}),
    ],
)
async def test_no_problem_speaks_in_patterns(  # noqa: PLR0917 (a request has so many parts)
    client: httpx.AsyncClient, world: World, method: str, path: str, body: Any, headers: dict[str, str]
) -> None:
    who = world.authorised(Role.STAFF, "u")
    answer = await client.request(method, path, json=body, headers={**CART, **who, **headers})
    assert answer.status_code == 422, answer.text
    problem = answer.json()
    assert problem["errors"]
    for text in (problem["detail"], *(each["message"] for each in problem["errors"])):
        assert not JARGON.search(text), text


def test_a_form_says_what_the_api_says() -> None:
    with pytest.raises(ValueError, match="validation error") as raised:
        CheckoutRequest.model_validate({**BUY, "payment_token": "tok_visa"})
    assert faults.of_model(raised.value.errors())["name"] == wording.PATTERNS[wording.NO_NUL]  # type: ignore[attr-defined]
