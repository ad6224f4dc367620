import httpx
import pytest

from api.orders.models import Card
from api.orders.payments import ProviderTokeniser
from api.problems import Problem

CARD = Card(card_number="4242 4242 4242 4242", expiry="12/30", cvc="123")


def tokeniser(answer: httpx.Response | Exception) -> tuple[ProviderTokeniser, list[httpx.Request]]:
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        if isinstance(answer, Exception):
            raise answer
        return answer

    client = httpx.AsyncClient(transport=httpx.MockTransport(handle), base_url="http://provider")
    return ProviderTokeniser(client), seen


async def test_the_card_is_exchanged_for_a_token() -> None:
    provider, seen = tokeniser(httpx.Response(201, json={"token": "tok_1", "last4": "4242"}))
    assert await provider.token(CARD, "order-1") == "tok_1"
    assert seen[0].url.path == "/tokens"
    assert b'"4242424242424242"' in seen[0].content
    assert b'"order_id":"order-1"' in seen[0].content, "it pays for this order alone"


@pytest.mark.parametrize(
    ("answer", "status", "field"),
    [
        (
            httpx.Response(
                422, json={"errors": [{"field": "card_number", "rule": "luhn", "message": "not a card"}]}
            ),
            422,
            "payment.card_number",
        ),
        (httpx.Response(422, json={"errors": [{"field": "x", "rule": "r", "message": "m"}]}), 422, "payment"),
        (httpx.Response(400, text="no"), 422, "payment"),
        (httpx.Response(429), 503, None),
        (httpx.Response(500), 503, None),
        (httpx.ConnectError("4242424242424242"), 503, None),
        (httpx.ReadTimeout("slow"), 503, None),
    ],
)
async def test_refusals_name_the_field_and_breakdowns_the_provider(
    answer: httpx.Response | Exception, status: int, field: str | None
) -> None:
    provider, _ = tokeniser(answer)
    with pytest.raises(Problem) as refused:
        await provider.token(CARD, "order-1")
    assert refused.value.status == status
    assert [error.field for error in refused.value.errors or []] == ([field] if field else [])
    assert "4242" not in str(refused.value)


def test_a_card_does_not_show_itself() -> None:
    assert "4242" not in repr(CARD)
    assert "123" not in repr(CARD)
