import httpx
import msgspec

from api.auth.tokens import Role
from api.inventory.models import StockLevel
from schemas.inventory import InventoryRefused
from schemas.inventory import StockLevel as Told
from tests.unit.api.conftest import World
from topics.registry import INVENTORY_RECEIVE, INVENTORY_REFUSED

REFUSED = InventoryRefused(
    INVENTORY_RECEIVE.name,
    "already_applied",
    "receipt_id",
    "PO1",
    Told(on_hand=103, reserved=0, available=103, received=103, committed=0, low_stock_threshold=10),
)


def viewed(version: int, on_hand: int) -> StockLevel:
    return StockLevel(
        sku="A",
        on_hand=on_hand,
        reserved=0,
        available=on_hand,
        received=on_hand,
        committed=0,
        threshold=10,
        version=version,
        updated_at=1,
        movements=[],
    )


async def test_a_repeated_receipt_is_answered_by_whoever_knows_more(
    client: httpx.AsyncClient, world: World
) -> None:
    refused = REFUSED
    world.broker.reply = lambda message: [(INVENTORY_REFUSED, message.aggregate_id, refused, 2)]
    headers = {**world.authorised(Role.STAFF, "u"), "Prefer": "wait=2"}

    async def again() -> httpx.Response:
        body = {"quantity": 3, "receipt_id": "PO1"}
        return await client.post("/api/v1/inventory/A/receive", json=body, headers=headers)

    for shown, level in ((None, 103), (viewed(1, 100), 103), (viewed(2, 103), 103), (viewed(3, 90), 90)):
        world.stock.known = {"A": shown} if shown else {}
        answer = await again()
        assert (answer.status_code, answer.json()["available"]) == (200, level), answer.text
    world.stock.known = {"A": viewed(1, 100)}
    refused = msgspec.structs.replace(refused, level=None)
    assert (await again()).status_code == 202, "a worker of an older release tells no level"
