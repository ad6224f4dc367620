"""Answers in JSON from models, encoded by themselves: through plain data they cost twice as much."""

from collections.abc import Mapping

from pydantic import BaseModel
from starlette.responses import Response


def told(model: BaseModel, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a model as JSON."""
    return Response(model.model_dump_json(), status, headers, "application/json")
