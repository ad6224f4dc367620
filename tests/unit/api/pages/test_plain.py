import httpx
import pytest

from api.pages.plain import words
from api.problems import FieldError, Problem, invalid, not_found, unavailable
from tests.unit.api.conftest import World


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        (unavailable("the search"), "The shop cannot answer right now."),
        (not_found("order 1"), "This page does not exist, or not for you."),
        (invalid("sku", "discontinued", "A is not on sale"), "This product is not sold any more."),
        (invalid("quantity", "greater_than", "Input should be greater than 0"), "The quantity is a whole"),
        (invalid("offset", "int_parsing", "Input should be"), "Something in the form or the address"),
        (
            Problem(422, "a line has 1 to 500 pieces, not 900", reason="invalid_quantity"),
            "At most 500 of one product",
        ),
        (Problem(409, "frozen", reason="cart_frozen"), "Your cart is being bought right now"),
        (Problem(409, "1 done, 1 left: a: was discarded"), "1 done, 1 left: a: was discarded."),
    ],
)
def test_a_problem_is_told_in_plain_words(problem: Problem, said: str) -> None:
    assert words(problem).startswith(said)


def test_no_pattern_is_ever_told() -> None:
    error = FieldError(field="price", rule="string_pattern_mismatch", message="should match '^x$'")
    assert "^" not in words(Problem(422, "price: should match '^x$'", kind="validation", errors=[error]))


@pytest.mark.parametrize(
    "query", ["price=abc", "above=-1", "sort=best", "in_stock=maybe", "shown=9999999999", "shown=480"]
)
async def test_a_filter_that_says_nothing_is_left_out(client: httpx.AsyncClient, query: str) -> None:
    answer = await client.get(f"/?{query}")
    assert answer.status_code == 200
    assert "All products" in answer.text


async def test_a_session_that_ended_leads_a_fragment_to_the_login(
    client: httpx.AsyncClient, world: World
) -> None:
    del world
    headers = {"HX-Request": "true", "Authorization": "Bearer expired"}
    for on, back in ((None, "%2F"), ("http://shop/ops?a=1", "%2Fops%3Fa%3D1"), ("http://[", "%2F")):
        more = {"HX-Current-URL": on} if on else {}
        answer = await client.get("/cart/badge", headers={**headers, **more})
        assert (answer.status_code, answer.headers["HX-Redirect"]) == (200, f"/login?next={back}")
