"""A read-only schema registry with Confluent's paths, so that their clients can read the topics.

Source of the paths and of the error codes 404xx: Confluent's Schema Registry API reference.
"""

import asyncio
import json
from functools import lru_cache
from typing import Annotated, Any

from fastapi import APIRouter, Path
from fastapi.responses import JSONResponse
from fastavro.schema import to_parsing_canonical_form
from pydantic import BaseModel, ConfigDict, Field

from api import wording
from api.names import SUBJECT
from schemas.lock import Entry, lock

_NO_SUBJECT, _NO_VERSION, _NO_SCHEMA, _INVALID = 40401, 40402, 40403, 42201


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


@lru_cache(maxsize=1024)
def _canonical(entry: Entry) -> str:
    """Return the schema without what parsers write each in their way: Avro's "Parsing Canonical Form"."""
    return to_parsing_canonical_form(lock().schema(entry))


def _known(schema_id: int) -> Entry | None:
    """Return the entry of an id, of another release's too; this may wait for the broker."""
    try:
        return lock().by_id[schema_id]
    except KeyError:
        return None


@router.get("/subjects", operation_id="listSubjects")
async def subjects() -> list[str]:
    """Return all subjects."""
    return sorted(lock().by_subject)


class SchemaText(BaseModel):
    """A schema as Confluent's clients send it."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"schema": '{"type": "string"}'}]})

    schema_: str = Field(alias="schema", max_length=60_000, examples=['{"type": "string"}'])


@router.post(
    f"/subjects/{SUBJECT}",
    operation_id="lookUpSchema",
    responses={**_NOT_FOUND, 422: {"model": RegistryError}},
)
async def look_up(subject: Subject, body: SchemaText) -> Any:
    """Return a subject's version that is this schema; Confluent's converters ask so when they read."""
    entries = lock().by_subject.get(subject)
    if entries is None:
        return _error(_NO_SUBJECT, f"Subject '{subject}' not found.")
    try:
        asked = to_parsing_canonical_form(json.loads(body.schema_))
    except Exception as error:  # noqa: BLE001 -- a text nested too deeply, a name that is a number, ...: the parser
        # raises whatever it stumbles over, and it stumbles over what was asked.
        return _error(_INVALID, f"schema: no Avro schema: {type(error).__name__}: {str(error)[:200]}")
    found = next((entry for entry in reversed(entries) if _canonical(entry) == asked), None)
    if found is None:
        return _error(_NO_SCHEMA, "Schema not found")
    return {"subject": subject, "version": found.version, "id": found.id, "schema": _text(found)}


@router.get(f"/subjects/{SUBJECT}/versions", operation_id="listVersions", responses=_NOT_FOUND)
async def versions(subject: Subject) -> Any:
    """Return a subject's versions."""
    entries = lock().by_subject.get(subject)
    if entries is None:
        return _error(_NO_SUBJECT, f"Subject '{subject}' not found.")
    return [entry.version for entry in entries]


@router.get(f"/subjects/{SUBJECT}/versions/{{version}}", operation_id="getVersion", responses=_NOT_FOUND)
async def version_of(
    subject: Subject,
    version: Annotated[str, Path(pattern=wording.SCHEMA_VERSION, examples=["latest"])],
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
    entry = await asyncio.to_thread(_known, schema_id)
    return _error(_NO_SCHEMA, f"Schema {schema_id} not found") if entry is None else {"schema": _text(entry)}


@router.get("/config", operation_id="getCompatibility")
async def config() -> dict[str, str]:
    """Return the compatibility that every subject keeps."""
    return {"compatibilityLevel": "BACKWARD_TRANSITIVE"}


@router.get("/mode", operation_id="getMode")
async def mode() -> dict[str, str]:
    """Return that nothing can be registered here."""
    return {"mode": "READONLY"}
