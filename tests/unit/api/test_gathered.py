"""What domains declare for the API: what is missing, or of no domain, is named when it is gathered."""

from dataclasses import replace
from typing import Any

import pytest

from api import outcomes, surfaces
from api.cart import outcomes as cart
from api.cart.outcomes import OUTCOMES
from api.expectation import answered
from api.pages.rendering import FOLDERS
from schemas.domains import Domain, ManifestError, Room, of_room
from topics.cart import CART_ABSORB, CART_ADD, CART_REJECTED, CART_UPDATED
from topics.order import ORDER_CANCEL
from topics.topic import Topic


def test_a_domain_without_its_modules_is_named() -> None:
    with pytest.raises(ManifestError, match=r"api/nowhere/outcomes\.py is missing"):
        outcomes.gathered([Domain("nowhere")])
    with pytest.raises(ManifestError, match="api/nowhere has no module that declares a Surface"):
        surfaces.gathered([*of_room(Room.API), Domain("nowhere")])
    with pytest.raises(ManifestError, match="api/cart is of no domain"):
        surfaces.gathered([each for each in of_room(Room.API) if each.name != "cart"])


@pytest.mark.parametrize("topic", [ORDER_CANCEL, CART_ABSORB, CART_UPDATED])
def test_what_is_no_command_for_those_outside_is_named(
    monkeypatch: pytest.MonkeyPatch, topic: Topic[Any]
) -> None:
    monkeypatch.setattr(cart, "OUTCOMES", {topic: OUTCOMES[CART_ADD]})
    with pytest.raises(ManifestError, match=rf"api/cart/outcomes\.py: {topic.name} is no command of cart"):
        outcomes.gathered([Domain("cart")])


def test_what_nobody_declares_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    stray = replace(CART_UPDATED, name="ecommerce.cart.greeted")
    monkeypatch.setattr(cart, "OUTCOMES", {CART_ADD: answered((stray,), CART_REJECTED)})
    with pytest.raises(ManifestError, match=r"ecommerce\.cart\.greeted is in topics/ of no domain"):
        outcomes.gathered([Domain("cart")])


def test_a_name_of_a_template_is_used_once() -> None:
    names = [path.name for folder in FOLDERS for path in folder.glob("*.html")]
    assert len(set(names)) == len(names) > 15
