"""The 202 answer to a command: its ids, and where its status can be read."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from api.answers import told
from api.command_records import CommandRecord, Status
from api.commands import Receipt

COMMANDS_PATH = "/api/v1/commands"


class Accepted(BaseModel):
    """A command that the broker has; its outcome can be read at `status_url`."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "command_id": "01932c0e-7d1b-7a55-8f0e-2f1f4a5d9b11",
                    "key": "3f0c3d4e-0f3c-4b8e-9d0a-6a1f6b8f7c21",
                    "correlation_id": "01932c0e-7d1b-7a55-8f0e-2f1f4a5d9b10",
                    "status": "accepted",
                    "status_url": f"{COMMANDS_PATH}/01932c0e-7d1b-7a55-8f0e-2f1f4a5d9b11",
                    "resource_url": "/api/v1/cart",
                }
            ]
        }
    )

    command_id: str
    key: str = Field(description="Id of what the command changes: cart, order or SKU.")
    correlation_id: str
    status: Status
    status_url: str
    resource_url: str


class CommandStatus(BaseModel):
    """What is known of a command. `outcome` is the data of the message that ended it."""

    command_id: str
    command: str = Field(examples=["ecommerce.cart.add"])
    key: str
    status: Status
    accepted_at: int = Field(description="Milliseconds since the epoch, UTC.")
    event: str | None = Field(examples=["ecommerce.cart.updated"])
    version: int | None
    outcome: dict[str, Any] | None


def status_path(command_id: str) -> str:
    """Return where a command's status can be read."""
    return f"{COMMANDS_PATH}/{command_id}"


def accepted(receipt: Receipt, resource_url: str) -> Response:
    """Return the 202 answer to a command whose outcome was not waited for, or did not come in time."""
    url = status_path(receipt.command.event_id)
    body = Accepted(
        command_id=receipt.command.event_id,
        key=receipt.record.key,
        correlation_id=receipt.command.correlation_id,
        status=receipt.record.status,
        status_url=url,
        resource_url=resource_url,
    )
    return told(body, 202, {"Location": url})


def command_status(record: CommandRecord) -> CommandStatus:
    """Return what a client sees of a command's record."""
    return CommandStatus(
        command_id=record.command_id,
        command=record.command,
        key=record.key,
        status=record.status,
        accepted_at=record.accepted_at,
        event=record.event,
        version=record.version,
        outcome=record.outcome,
    )
