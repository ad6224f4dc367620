"""Stock over HTTP, for staff."""

from typing import Any

from fastapi import APIRouter, Response

from api.accepted import Accepted, accepted
from api.answers import told
from api.auth.caller import StaffCaller
from api.commands import Receipt as Sent
from api.idempotency import CommandId, IdempotentRoute
from api.inventory.models import Adjustment, Receipt, StockLevel
from api.names import SKU, segment
from api.prefer import Wait, applied
from api.problems import invalid, problems
from api.product.models import AskedSku, SkuPath
from api.services import Use

router = APIRouter(prefix="/inventory", tags=["staff"], route_class=IdempotentRoute)

_ACCEPTED: dict[int | str, dict[str, Any]] = {
    202: {"model": Accepted, "description": "Accepted; the outcome follows."}
}


@router.post(
    f"/{SKU}/receive",
    operation_id="receiveStock",
    response_model=StockLevel,
    responses={**_ACCEPTED, **problems(401, 403, 404, 409, 413, 415, 503)},
)
async def receive(
    sku: SkuPath, body: Receipt, caller: StaffCaller, services: Use, wait: Wait, command_id: CommandId
) -> Response:
    """Take goods in."""
    sent, level = await services.inventory.receive(caller, sku, body, command_id=command_id, wait=wait)
    return _answer(sent, level, wait)


@router.post(
    f"/{SKU}/adjust",
    operation_id="adjustStock",
    response_model=StockLevel,
    responses={**_ACCEPTED, **problems(401, 403, 404, 409, 413, 415, 503)},
)
async def adjust(
    sku: SkuPath, body: Adjustment, caller: StaffCaller, services: Use, wait: Wait, command_id: CommandId
) -> Response:
    """Correct what is on hand by a difference."""
    if body.delta == 0:
        raise invalid("delta", "not_zero", "must not be 0")
    sent, level = await services.inventory.adjust(caller, sku, body, command_id=command_id, wait=wait)
    return _answer(sent, level, wait)


@router.get(f"/{SKU}", operation_id="getStock", responses=problems(401, 403, 404, 503))
async def get_stock(sku: AskedSku, caller: StaffCaller, services: Use) -> StockLevel:  # noqa: ARG001 (guards)
    """Return a SKU's level with its newest movements."""
    return await services.inventory.level(sku)


def _answer(sent: Sent, level: StockLevel | None, wait: float | None) -> Response:
    if level is None:
        return accepted(sent, f"/api/v1/inventory/{segment(sent.record.key)}")
    return told(level, headers=applied(wait))
