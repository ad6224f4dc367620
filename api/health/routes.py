"""Health of this process and of all services, and its metrics."""

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from api.health.checks import Readiness, readiness
from api.health.services import ServicesHealth
from api.problems import problems
from api.services import Use

router = APIRouter(tags=["health"])
services_router = APIRouter(tags=["health"])


class Alive(BaseModel):
    """The process serves requests."""

    status: str = "alive"


@router.get("/health/live", operation_id="live")
async def live() -> Alive:
    """Answer at all."""
    return Alive()


@router.get(
    "/health/ready",
    operation_id="ready",
    response_model=Readiness,
    responses={503: {"model": Readiness, "description": "A server that the API needs does not answer."}},
)
async def ready(services: Use) -> Response:
    """Say whether the API's servers answer."""
    found = await readiness(services.readiness_checks, services.standing)
    return JSONResponse(found.model_dump(mode="json"), 200 if found.ready else 503)


@router.get("/metrics", operation_id="metrics", response_class=Response, include_in_schema=False)
async def metrics() -> Response:
    """Return the process's metrics in Prometheus' text format."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


@services_router.get("/services/health", operation_id="getServicesHealth", responses=problems(503))
async def services_health(services: Use) -> ServicesHealth:
    """Ask every running service how it is, and return who answered."""
    return await services.services_health.ask()
