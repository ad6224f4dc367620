"""A read-only schema registry with Confluent's paths, so that their clients can read the topics.

Source of the paths and of the error codes 404xx: Confluent's Schema Registry API reference.
"""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Path
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from schemas.lock import Entry, lock

_NO_SUBJECT, _NO_VERSION, _NO_SCHEMA = 40401, 40402, 40403


class RegistryError(BaseModel):
    """An error as Confluent's clients read it."""

    error_code: int
    message: str


router = APIRouter(tags=["schema registry"])

_NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"model": RegistryError}}

Subject = Annotated[str, Path(max_length=255, examples=["ecommerce.order.confirmed-value"])]


def _error(code: int, message: str) -> JSONResponse:
    return JSONResponse({"error_code": code, "message": message}, code // 100)


def _text(entry: Entry) -> str:
    return json.dumps(lock().schema(entry), separators=(",", ":"))


@router.get("/subjects", operation_id="listSubjects")
async def subjects() -> list[str]:
    """Return all subjects."""
    return sorted(lock().by_subject)


@router.get("/subjects/{subject}/versions", operation_id="listVersions", responses=_NOT_FOUND)
async def versions(subject: Subject) -> Any:
    """Return a subject's versions."""
    entries = lock().by_subject.get(subject)
    if entries is None:
        return _error(_NO_SUBJECT, f"Subject '{subject}' not found.")
    return [entry.version for entry in entries]


@router.get("/subjects/{subject}/versions/{version}", operation_id="getVersion", responses=_NOT_FOUND)
async def version_of(
    subject: Subject,
    version: Annotated[str, Path(pattern=r"^(latest|[1-9][0-9]{0,8})$", examples=["latest"])],
) -> Any:
    """Return a version of a subject's schema: a number from 1, or `latest`."""
    entries = lock().by_subject.get(subject)
    if entries is None:
        return _error(_NO_SUBJECT, f"Subject '{subject}' not found.")
    if version == "latest":
        found: Entry | None = entries[-1]
    else:
        found = next((entry for entry in entries if entry.version == int(version)), None)
    if found is None:
        return _error(_NO_VERSION, f"Version {version} not found.")
    return {"subject": subject, "version": found.version, "id": found.id, "schema": _text(found)}


@router.get("/schemas/ids/{schema_id}", operation_id="getSchema", responses=_NOT_FOUND)
async def schema(schema_id: Annotated[int, Path(ge=0, lt=2**31, examples=[1])]) -> Any:
    """Return a schema by the id that stands in a record's first bytes."""
    entry = lock().by_id.get(schema_id)
    return _error(_NO_SCHEMA, f"Schema {schema_id} not found") if entry is None else {"schema": _text(entry)}


@router.get("/config", operation_id="getCompatibility")
async def config() -> dict[str, str]:
    """Return the compatibility that every subject keeps."""
    return {"compatibilityLevel": "BACKWARD_TRANSITIVE"}


@router.get("/mode", operation_id="getMode")
async def mode() -> dict[str, str]:
    """Return that nothing can be registered here."""
    return {"mode": "READONLY"}
