"""What the ops routes give."""

from typing import Annotated, Any

from fastapi import Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from topics.registry import DEAD_LETTERS


def known_domain(domain: str | None) -> str | None:
    """Return a domain of dead letters, None for all; raises ValueError for one that there is not."""
    if domain and domain not in DEAD_LETTERS:
        raise ValueError(f"is none of {', '.join(DEAD_LETTERS)}")
    return domain or None


Domain = Annotated[str | None, Query(max_length=100, examples=["cart"]), AfterValidator(known_domain)]
"""A domain of dead letters, or all."""


class PartitionLag(BaseModel):
    """One group's position in one partition; `seconds` is the age of the oldest record not yet committed."""

    model_config = ConfigDict(from_attributes=True)

    group: str
    topic: str
    partition: int
    committed: int
    end: int
    lag: int = Field(description="Records not yet committed.")
    seconds: float
    fault: str | None = Field(
        default=None,
        description="Why the committed offset is no position in the topic: it was made anew, or ends before.",
    )


class GroupLag(BaseModel):
    """A group's lag over all its partitions: the sum in records, the oldest in seconds."""

    group: str
    lag: int
    seconds: float
    committed: int = Field(description="Sum of committed offsets; its growth is the group's throughput.")


class Lag(BaseModel):
    """The lag of all groups at a time (ms)."""

    at: int
    groups: list[GroupLag]
    partitions: list[PartitionLag]


class DeadLetter(BaseModel):
    """A record that could not be handled, and why."""

    id: str
    domain: str
    reason: str
    error: str | None
    source_topic: str | None
    source_partition: int | None
    source_offset: int | None
    key: str | None
    attempt: int
    headers: dict[str, Any]
    failed_at: int


class DeadLetterPage(BaseModel):
    """A page of dead letters, the newest first, and how many there are of each domain and reason."""

    items: list[DeadLetter]
    next_cursor: str | None
    counts: dict[str, dict[str, int]]
