"""The OpenAPI document: what FastAPI derives, and problem documents for every operation."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.problems import MEDIA_TYPE, ProblemDocument
from api.surface import Tag
from api.surfaces import SURFACES

_TAGS = (
    Tag("accounts", "Registering and logging in."),
    *(surface.tag for surface in SURFACES if surface.tag is not None),
    Tag("staff", "Products, stock and order states; needs a staff account."),
    Tag("ops", "Lag, dead letters, command statuses."),
    Tag("health", "Whether the platform runs."),
    Tag("schema registry", "Avro schemas by Confluent's paths, read only."),
)
_DESCRIPTION = """
Commands answer **202** with their ids at once, or with `Prefer: wait=N` their outcome within N seconds.
`Idempotency-Key` makes a repeated command safe. Errors are RFC 9457 problem documents.
Money is an integer of minor units, times are milliseconds since the epoch (UTC).
"""


def document(app: FastAPI) -> dict[str, Any]:
    """Return the application's OpenAPI document; made once."""
    if app.openapi_schema is None:
        made = get_openapi(
            title="E-commerce",
            version="1.0.0",
            description=_DESCRIPTION,
            routes=app.routes,
            tags=[tag._asdict() for tag in _TAGS],
        )
        _with_problems(made)
        app.openapi_schema = made
    return app.openapi_schema


def _with_problems(made: dict[str, Any]) -> None:
    schemas = made.setdefault("components", {}).setdefault("schemas", {})
    problem = ProblemDocument.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= problem.pop("$defs", {})
    schemas["ProblemDocument"] = problem
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    answer: dict[str, Any] = {
        "description": "A problem document.",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}},
    }
    for path in made["paths"].values():
        for operation in path.values():
            responses = operation["responses"]
            if "422" in responses or "requestBody" in operation:
                content = {**_declared(responses.get("422", {})), **answer["content"]}
                responses["422"] = {"description": "A field breaks a rule.", "content": content}
            if "requestBody" in operation:
                responses["400"] = answer | {"description": "The body is not valid JSON."}
            responses.setdefault("default", answer)


def _declared(response: dict[str, Any]) -> dict[str, Any]:
    """Return what a route itself says that it may answer, without what FastAPI assumes."""
    return {
        media: body
        for media, body in response.get("content", {}).items()
        if not body["schema"].get("$ref", "").endswith("/HTTPValidationError")
    }
