"""What is known of each command, in Redis: any instance of the API can tell what became of it."""

from enum import StrEnum
from typing import Any

import msgspec
import structlog
from redis.exceptions import RedisError

from api.expectation import Expectation
from api.heard import Heard
from api.problems import unavailable
from api.redis_line import Strings

_log = structlog.get_logger()


class Status(StrEnum):
    """What is known of a command. A failed one is a dead letter: staff can mend it and send it again."""

    ACCEPTED = "accepted"
    SUCCEEDED = "succeeded"
    REJECTED = "rejected"
    FAILED = "failed"


class CommandRecord(msgspec.Struct, frozen=True):
    """What Redis keeps of a command. `owner` is who may read it; `outcome` is the ending message's data.

    `outcome_key` is the ending message's key, where it is another than the command's.
    """

    command_id: str
    command: str
    key: str
    owner: str
    status: Status
    accepted_at: int
    event: str | None = None
    version: int | None = None
    outcome: dict[str, Any] | None = None
    outcome_key: str | None = None


class CommandRecords:
    """Records by command id; each is kept for `seconds`."""

    def __init__(self, redis: Strings, seconds: int) -> None:
        self._redis = redis
        self._seconds = seconds

    async def keep(self, record: CommandRecord) -> None:
        """Keep a record. Where Redis does not answer it is lost: that must not stop the command itself."""
        try:
            await self._redis.set(_key(record.command_id), msgspec.json.encode(record), ex=self._seconds)
        except RedisError as error:
            _log.warning("command_status_not_kept", command_id=record.command_id, error=repr(error))

    async def begin(self, record: CommandRecord) -> CommandRecord:
        """Keep the record of a command that is sent; where one is kept already, return that.

        A command that is sent again has been answered at its first time, and is not answered twice: its end
        must not be written over.
        """
        try:
            begun = await self._redis.set(
                _key(record.command_id), msgspec.json.encode(record), ex=self._seconds, nx=True
            )
            found = None if begun else await self._redis.get(_key(record.command_id))
        except RedisError as error:
            _log.warning("command_status_not_kept", command_id=record.command_id, error=repr(error))
            return record
        return record if found is None else msgspec.json.decode(found, type=CommandRecord)

    async def find(self, command_id: str) -> CommandRecord | None:
        """Return what is known of a command; raises a 503 Problem where Redis does not answer."""
        try:
            found = await self._redis.get(_key(command_id))
        except RedisError as error:
            raise unavailable("the store of command statuses") from error
        return None if found is None else msgspec.json.decode(found, type=CommandRecord)


def _key(command_id: str) -> str:
    return f"api:command:{command_id}"


def ended_by(record: CommandRecord, heard: Heard, expectation: Expectation) -> CommandRecord:
    """Return the record of a command that `heard` has ended."""
    if (letter := heard.letter) is not None:
        said = {"reason": letter.reason, "dead_letter": letter.id}
        return msgspec.structs.replace(record, status=Status.FAILED, event=letter.topic, outcome=said)
    refused = expectation.refuses(heard)
    outcome = msgspec.to_builtins(heard.message.data)
    # The token stands for a card: whoever reads the status has no use for it.
    outcome.pop("payment_token", None)
    return msgspec.structs.replace(
        record,
        status=Status.REJECTED if refused else Status.SUCCEEDED,
        event=heard.topic.name,
        version=heard.message.aggregate_version,
        outcome=outcome,
    )
